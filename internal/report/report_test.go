package report

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/golden"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// x86 is what a kernel of x86_64 presents.
var x86 = []arch.ABI{arch.X86_64, arch.X86, arch.X32}

func profile(t testing.TB, name string, p *policy.Policy, abis ...arch.ABI) Profile {
	t.Helper()
	r, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
	if err != nil {
		t.Fatal(err)
	}
	return Profile{Name: name, Report: &lint.Report{Policy: p, Resolved: r}}
}

// read makes a profile of JSON rules.
func read(t testing.TB, name, rules string, abis ...arch.ABI) Profile {
	t.Helper()
	p, _, err := oci.Read([]byte(`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [`+rules+`]}`), policy.Target{ABI: abis[0]})
	if err != nil {
		t.Fatal(err)
	}
	return profile(t, name, p, abis...)
}

func dockerDefault(t testing.TB, abis ...arch.ABI) Profile {
	t.Helper()
	p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: abis[0], Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	return profile(t, "docker-default", p, abis...)
}

func mustBuild(t testing.TB, o Options, profiles ...Profile) *builder {
	t.Helper()
	b, err := newBuilder(o, profiles...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustSubject(t testing.TB, p Profile, l proof.Limits) *subject {
	t.Helper()
	s, err := newSubject(p, l)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func review(t testing.TB, p Profile) []byte {
	t.Helper()
	page, err := Review(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func compare(t testing.TB, a, b Profile) []byte {
	t.Helper()
	page, _, err := Compare(a, b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

const (
	before = `{"names": ["read", "write", "exit_group", "ptrace"], "action": "SCMP_ACT_ALLOW"},
		{"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]},
		{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]}`
	after = `{"names": ["read", "write", "exit_group", "mount"], "action": "SCMP_ACT_ALLOW"},
		{"names": ["personality"], "action": "SCMP_ACT_LOG"},
		{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}`
)

// Style sheet and script can change alone.
func TestGoldens(t *testing.T) {
	one := read(t, "small.json", before, arch.X86_64)
	one.Findings = []lint.Finding{
		{ID: "overlap", Severity: lint.Note, Pointer: "/syscalls/1", Line: 3, Column: 5, Reason: "it may be so", Fix: "leave it"},
		{ID: "unknown-name", Severity: lint.Error, Pointer: "/syscalls/0/names/0", Line: 2, Column: 15, Reason: "no ABI has a call raed", Fix: "did you mean read?"},
	}
	one.Policy.Flags = []cbpf.Flag{cbpf.LogFlag}
	two := read(t, "new.json", after, arch.X86_64)
	pages := map[string][]byte{"review.html": review(t, one), "compare.html": compare(t, one, two)}
	short := Options{Format: Markdown, Date: "2031-05-12"}
	var err error
	if pages["review.md"], err = Review(one, short); err != nil {
		t.Fatal(err)
	}
	if pages["compare.md"], _, err = Compare(one, two, short); err != nil {
		t.Fatal(err)
	}
	for name, page := range pages {
		got := skeleton(page)
		path := filepath.Join("testdata", name)
		golden.Check(t, *update, path, got)
	}
	there, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if _, ok := pages[f.Name()]; !ok {
			t.Errorf("testdata/%s belongs to no test", f.Name())
		}
	}
}

// skeleton leaves out what the goldens do not pin, and calls that no rule names.
func skeleton(page []byte) string {
	var digests []string
	for _, part := range []string{style(), scriptJS} {
		digests = append(digests, part, "…", html.EscapeString(digest(part)), "…", strings.ReplaceAll(digest(part), "+", "&#43;"), "…")
	}
	var out strings.Builder
	for line := range strings.Lines(strings.NewReplacer(digests...).Replace(string(page))) {
		unnamed := strings.Contains(line, "</small></td></tr>") && strings.Contains(line, `"nrs"`)
		if !unnamed || strings.Contains(line, `class="ptr"`) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// The same profiles make the same bytes, which neither maps nor a clock disturb.
func TestDeterministic(t *testing.T) {
	for range 3 {
		a, b := dockerDefault(t, x86...), read(t, "b", after, x86...)
		if !bytes.Equal(review(t, a), review(t, a)) || !bytes.Equal(compare(t, a, b), compare(t, dockerDefault(t, x86...), b)) {
			t.Fatal("two pages of the same profiles differ")
		}
	}
}

func TestDate(t *testing.T) {
	p := read(t, "p", before, arch.X86_64)
	page, err := Review(p, Options{Date: "12 May <2031>"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "review · 12 May &lt;2031&gt;<") {
		t.Error("the page does not show its date")
	}
}

// hostile is what a profile may try to put into a page.
const hostile = `</script></style></title><img src=x onerror=alert(1)>"'` + "`" + `{{.}}<!--]]>`

func TestHostileProfilesStayText(t *testing.T) {
	p := profile(t, hostile, &policy.Policy{
		ListenerPath: hostile, ListenerMetadata: hostile,
		Rules: []policy.Rule{
			{Names: []string{"read", hostile}, Action: cbpf.Allow, Pointer: hostile},
			{Names: []string{"socket"}, Action: cbpf.Notify, Pointer: hostile, Args: []policy.Arg{{Index: 0, Op: policy.Equal, Value: 1}}},
		},
	}, x86...)
	p.Policy.Flags = []cbpf.Flag{0x80000000}
	p.Findings = []lint.Finding{{ID: hostile, Severity: lint.Warning, Pointer: hostile, Reason: hostile, Fix: hostile}}
	q := read(t, hostile, after, x86...)
	for name, page := range map[string][]byte{"review": review(t, p), "compare": compare(t, p, q)} {
		t.Run(name, func(t *testing.T) {
			text := new(strings.Builder)
			for n := range parse(t, page).Descendants() {
				switch {
				case n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style":
					text.WriteString(n.Data)
				case n.Type == html.CommentNode:
					t.Errorf("a comment: %s", n.Data)
				case n.Data == "img":
					t.Error("an image")
				}
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" {
						t.Errorf("an attribute %s of %s", a.Key, n.Data)
					}
				}
			}
			if n := strings.Count(text.String(), hostile); n < 8 {
				t.Errorf("the text shows the hostile strings %d times, want each", n)
			}
		})
	}
}

// HTML cannot have most control characters, whatever they are written as.
func TestEscaped(t *testing.T) {
	if got, want := el("p", at("title", `"&'`), "<a>\x00\x1b\r\n\xff|", soft("a|<b>")), "<p title=\"&#34;&amp;&#39;\">&lt;a&gt;\ufffd\ufffd\ufffd\n\ufffd|a|<wbr>&lt;b&gt;</p>\n"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func parse(t *testing.T, page []byte) *html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func attribute(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// What one element says of another is true, and tables are tables.
func TestMarkup(t *testing.T) {
	a, b := dockerDefault(t, x86...), read(t, "b", after, x86...)
	for name, page := range map[string][]byte{"review": review(t, a), "compare": compare(t, a, b)} {
		t.Run(name, func(t *testing.T) {
			root := parse(t, page)
			ids := map[string]bool{}
			for n := range root.Descendants() {
				if id, ok := attribute(n, "id"); ok {
					if ids[id] {
						t.Errorf("two elements with id %q", id)
					}
					ids[id] = true
				}
			}
			for n := range root.Descendants() {
				for _, key := range []string{"for", "aria-labelledby"} {
					if id, ok := attribute(n, key); ok && !ids[id] {
						t.Errorf("%s=%q of %s names no element", key, id, n.Data)
					}
				}
				if href, ok := attribute(n, "href"); ok && !ids[strings.TrimPrefix(href, "#")] {
					t.Errorf("a link to %s", href)
				}
				if _, ok := attribute(n, "scope"); n.Data == "th" && !ok {
					t.Error("a header cell of nothing")
				}
				if n.Data == "script" || n.Data == "style" {
					if len(n.Attr) > 0 {
						t.Errorf("%s with attributes", n.Data)
					}
				}
			}
		})
	}
}

// The page may run and load its own script and style sheet, and nothing else.
func TestContentSecurityPolicy(t *testing.T) {
	page := string(review(t, read(t, "p", before, arch.X86_64)))
	_, rest, _ := strings.Cut(page, `http-equiv="Content-Security-Policy" content="`)
	csp, _, _ := strings.Cut(rest, `"`)
	csp = html.UnescapeString(csp)
	for _, element := range []string{"style", "script"} {
		_, rest, _ := strings.Cut(page, "<"+element+">")
		content, _, ok := strings.Cut(rest, "</"+element+">")
		if want := fmt.Sprintf("%s-src '%s'", element, digest(content)); !ok || !strings.Contains(csp, want) {
			t.Errorf("%q has not %q", csp, want)
		}
	}
	if !strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
}

func TestScriptIsShort(t *testing.T) {
	if n := strings.Count(scriptJS, "\n"); n >= 150 {
		t.Errorf("%d lines, want less than 150", n)
	}
}

// many returns a policy of many rules: of one call, of all calls under conditions
// that add up to little, or to nothing.
func many(kind string, rules int) *policy.Policy {
	p := &policy.Policy{Default: cbpf.ErrnoClass}
	var names []string
	for _, c := range syscalltables.All(arch.X86_64) {
		names = append(names, c.Name())
	}
	for i := range rules {
		r := policy.Rule{Names: []string{names[i*7919%len(names)]}, Action: cbpf.Allow, Pointer: fmt.Sprintf("/syscalls/%d", i)}
		switch kind {
		case "one call":
			r.Names = []string{"ioctl"}
			r.Args = []policy.Arg{{Index: 1, Op: policy.Equal, Value: uint64(3 * i)}}
		case "values":
			r.Args = []policy.Arg{{Index: 1, Op: policy.Equal, Value: uint64(i) * 0x9e3779b1 & 0xffffffff}}
		case "ranges":
			r.Args = []policy.Arg{{Index: uint(i % 3), Op: policy.GreaterEqual, Value: uint64(i % 61)}, {Index: 4, Op: policy.Less, Value: uint64(i % 53)}}
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

func TestSizes(t *testing.T) {
	rules := gen.Many(1000, 10_000)
	most := 500_000 + 950*rules // bytes
	if n := len(review(t, dockerDefault(t, x86...))); n > 500_000 {
		t.Errorf("Docker's default for three ABIs: %d bytes", n)
	}
	for _, kind := range []string{"plain", "one call", "values", "ranges"} {
		if n := len(review(t, profile(t, kind, many(kind, rules), x86...))); n > most {
			t.Errorf("%s: %d bytes", kind, n)
		}
	}
}

func BenchmarkReview(b *testing.B) {
	profiles := map[string]Profile{"docker": dockerDefault(b, x86...)}
	for _, kind := range []string{"plain", "one call", "values", "ranges"} {
		profiles[kind] = profile(b, kind, many(kind, 10_000), x86...)
	}
	for name, p := range profiles {
		b.Run(name, func(b *testing.B) {
			size := 0
			for b.Loop() {
				size = len(review(b, p))
			}
			b.ReportMetric(float64(size), "bytes/page")
		})
	}
}

func TestWhatIsNotValidIsRefused(t *testing.T) {
	good := Profile{Name: "good.json", Report: lint.Check(language.NewSource([]byte(`{"defaultAction": "SCMP_ACT_ERRNO"}`)), lint.Options{})}
	for want, bad := range map[string]Profile{
		"report: bad.json: the profile has no review": {Name: "bad.json"},
		"report: bad.json: policy: no target":         {Name: "bad.json", Report: &lint.Report{}},
		"report: bad.json: policy: space x86: ":       {Name: "bad.json", Report: &lint.Report{Resolved: &policy.Resolved{Spaces: []policy.Space{{ABIs: []arch.ABI{arch.X86}}}}}},
	} {
		_, err1 := Review(bad, Options{})
		_, _, err2 := Compare(good, bad, Options{})
		_, _, err3 := Compare(bad, good, Options{})
		for _, err := range []error{err1, err2, err3} {
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		}
	}
}
