package report

import (
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// The first words of a comparison are about what the second profile lets through.
func TestAnswer(t *testing.T) {
	all := func(names ...string) string {
		return `{"names": ["` + strings.Join(names, `", "`) + `"], "action": "SCMP_ACT_ALLOW"}`
	}
	base := all("read", "write", "exit_group", "mseal") // newer calls get ENOSYS
	tests := []struct {
		name, a, b string
		want       []string
	}{
		{"nothing", base, all("mseal", "exit_group", "write", "read"), []string{"Both profiles treat every call alike, whatever its arguments."}},
		{"one more", base, base + "," + all("mount"), []string{"B allows 1 call that A denies: mount."}},
		{
			"few, the gravest first", base, base + "," + all("chdir", "mount", "init_module"),
			[]string{"B allows 3 calls that A denies: init_module, mount and chdir."},
		},
		{
			"many", base, base + "," + all("chdir", "chmod", "chown", "close", "creat", "bpf", "mount", "dup"),
			[]string{"B allows 8 calls that A denies: bpf, mount, chdir, chmod, chown, close first."},
		},
		{"fewer", base, all("read", "mseal"), []string{"B allows nothing that A denies.", "It denies 2 calls that A allows: exit_group and write."}},
		{
			"by arguments", base, base + "," + rule("socket", "ALLOW", arg(0, "EQ", 1)),
			[]string{"B allows 1 call that A denies: socket (by its arguments)."},
		},
		{
			"log", base, all("read", "write", "mseal") + "," + rule("exit_group", "LOG") + "," + rule("mount", "KILL_PROCESS"),
			[]string{"B allows nothing that A denies.", "It treats 2 calls more strictly: mount and exit_group."},
		},
		{
			"mild", base + "," + rule("mount", "KILL_PROCESS"), base,
			[]string{"B allows nothing that A denies.", "It treats 1 call less strictly: mount."},
		},
		{
			"a listener", base, base + "," + rule("mount", "NOTIFY"),
			[]string{"B allows 1 call that A denies: mount."},
		},
		{
			"another error", base, base + `,{"names": ["chdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}`,
			[]string{"B allows nothing that A denies.", "It answers 1 call with other data, such as another error."},
		},
	}
	for _, tt := range tests {
		a, b := read(t, "a", tt.a, arch.X86_64), read(t, "b", tt.b, arch.X86_64)
		got, gains := Headline(changes(t, a, b), []arch.ABI{arch.X86_64}, "A", "B")
		if diff := gocmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: want -, got +\n%s", tt.name, diff)
		}
		_, weaker, err := Compare(a, b, Options{})
		if want := strings.HasPrefix(tt.want[0], "B allows ") && !strings.HasPrefix(tt.want[0], "B allows nothing"); err != nil || weaker != want || gains != want {
			t.Errorf("%s: weaker is %v (%v), want %v", tt.name, weaker, err, want)
		}
	}
}

// Numbers without a call and calls through other ABIs count as well.
func TestAnswerBeyondCalls(t *testing.T) {
	p := &policy.Policy{Default: cbpf.ErrnoClass}
	resolve := func(name string, p *policy.Policy, badArch cbpf.Action) Profile {
		x := profile(t, name, p, arch.AArch64)
		r, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.AArch64}, BadArch: badArch})
		if err != nil {
			t.Fatal(err)
		}
		x.Resolved = r
		return x
	}
	open := &policy.Policy{Default: cbpf.Allow}
	a, b := resolve("a", p, cbpf.KillThread), resolve("b", open, cbpf.Allow)
	got := mustBuild(t, Options{}, a, b).difference(changes(t, a, b)).Answer("A", "B")
	if want := "numbers without a call and calls through other ABIs that A denies: "; len(got) != 1 || !strings.Contains(got[0], want) {
		t.Errorf("%q does not say %q", got, want)
	}
}

func TestShortNames(t *testing.T) {
	tests := [][2][]string{
		{{"a.json"}, {"a.json"}},
		{{"/etc/profiles/a.json"}, {"a.json"}},
		{{"old/a.json", "new/b.json"}, {"a.json", "b.json"}},
		{{"x/old/a.json", "x/new/a.json"}, {"old/a.json", "new/a.json"}},
		{{"a.json", "x/a.json"}, {"a.json", "x/a.json"}},
		{{"a.json", "a.json"}, {"a.json", "a.json"}},
		{{"/a.json", "a.json"}, {"/a.json", "a.json"}},
		{{"dir/", ""}, {"dir/", ""}},
		{{"/", "//"}, {"/", "//"}},
	}
	for _, tt := range tests {
		var list []Profile
		for _, name := range tt[0] {
			list = append(list, Profile{Name: name})
		}
		if got := shortNames(list); fmt.Sprint(got) != fmt.Sprint(tt[1]) {
			t.Errorf("%q: %q, want %q", tt[0], got, tt[1])
		}
	}
}

// Nothing from a profile becomes markup, a link or a mention in a comment.
func TestMarkdownOfHostileText(t *testing.T) {
	evil := "`</code>` | [x](http://e.example) www.e.example @all #1 ![i](j) <b> _x_ **y** ~~z~~ \\ \n# title &lt;"
	for _, text := range []string{plainText(evil), code(evil)} {
		text = strings.TrimSuffix(strings.TrimPrefix(text, "<code>"), "</code>")
		for _, bad := range []string{"\n", "`", "|", "[", "]", "<", ">", "@", "://", "www.", "*", "~", "\\", " #", " _"} {
			if strings.Contains(text, bad) {
				t.Errorf("%q is left in %q", bad, text)
			}
		}
	}
	if got, want := plainText("open_tree on x86_64: a, b (c)"), "open_tree on x86_64: a, b (c)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p := read(t, evil, before, arch.X86_64)
	o := Options{Format: Markdown}
	page, err := Review(p, o)
	if err != nil || strings.Contains(string(page), "[x]") || strings.Contains(string(page), "@all") {
		t.Errorf("%v: the page has the name of the profile as it is:\n%s", err, page)
	}
	if _, err := Review(p, Options{Format: "pdf"}); err == nil {
		t.Error("an unknown format is accepted")
	}
}
