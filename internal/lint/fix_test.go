package lint

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// What a cure is not about stays as it is written.
func TestFixKeepsTheRest(t *testing.T) {
	for _, tt := range []struct{ name, before, after string }{
		{"nothing to do", `{"defaultAction": "SCMP_ACT_ALLOW"}`, `{"defaultAction": "SCMP_ACT_ALLOW"}`},
		{
			"rules are added in the layout of those that are there",
			"{\n\t\"_comment\": \"é // not a comment\",\n\t\"defaultAction\": \"SCMP_ACT_ERRNO\",\n\t\"architectures\": [\"SCMP_ARCH_M68K\"],\n\t\"syscalls\": [\n\t\t{\"names\": [\"read\"],   \"action\": \"SCMP_ACT_ALLOW\", \"why\": 1}\n\t]\n}\n",
			"{\n\t\"_comment\": \"é // not a comment\",\n\t\"defaultAction\": \"SCMP_ACT_ERRNO\",\n\t\"architectures\": [\"SCMP_ARCH_M68K\"],\n\t\"syscalls\": [\n\t\t{\"names\": [\"read\"],   \"action\": \"SCMP_ACT_ALLOW\", \"why\": 1},\n\t\t{\"names\": [\"execve\", \"exit_group\"], \"action\": \"SCMP_ACT_ALLOW\"}\n\t]\n}\n",
		},
		{
			"no rules at all",
			`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_M68K"]}`,
			`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_M68K"], "syscalls": [{"names": ["execve", "exit_group"], "action": "SCMP_ACT_ALLOW"}]}`,
		},
		{
			"an empty list of rules",
			`{"syscalls": [ ], "architectures": ["SCMP_ARCH_M68K"], "defaultAction": "SCMP_ACT_ERRNO"}`,
			`{"syscalls": [{"names": ["execve", "exit_group"], "action": "SCMP_ACT_ALLOW"} ], "architectures": ["SCMP_ARCH_M68K"], "defaultAction": "SCMP_ACT_ERRNO"}`,
		},
		{
			"rules that deny give way, and vanish with their last name",
			`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_M68K"], "syscalls": [{"names": ["execve", "execveat"], "action": "SCMP_ACT_ERRNO"}, {"names": ["ptrace", "execve"], "action": "SCMP_ACT_KILL"}]}`,
			`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_M68K"], "syscalls": [{"names": ["execveat"], "action": "SCMP_ACT_ERRNO"}, {"names": ["ptrace"], "action": "SCMP_ACT_KILL"}, {"names": ["execve"], "action": "SCMP_ACT_ALLOW"}]}`,
		},
		{
			"clone3",
			`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"names": ["clone3"], "action": "SCMP_ACT_ERRNO"}]}`,
			`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}`,
		},
		{
			"masks",
			`{"defaultAction": "SCMP_ACT_LOG", "architectures": ["SCMP_ARCH_M68K"], "syscalls": [{"names": ["unshare"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 0, "valueTwo":  268435456, "op": "SCMP_CMP_MASKED_EQ"}]}]}`,
			`{"defaultAction": "SCMP_ACT_LOG", "architectures": ["SCMP_ARCH_M68K"], "syscalls": [{"names": ["unshare"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 268435456, "valueTwo":  0, "op": "SCMP_CMP_MASKED_EQ"}]}]}`,
		},
		{
			"a mask of a denial may not be what it seems",
			`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_M68K"], "syscalls": [{"names": ["unshare"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 0, "valueTwo":  268435456, "op": "SCMP_CMP_MASKED_EQ"}]}]}`,
			`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_M68K"], "syscalls": [{"names": ["unshare"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 0, "valueTwo":  268435456, "op": "SCMP_CMP_MASKED_EQ"}]}]}`,
		},
		{
			"what has no effect",
			`{"DefaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_NATIVE"], "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], "listenerMetadata": "x", "syscalls": [
{"names": ["read", "read", "write", "read"], "action": "SCMP_ACT_LOG", "errnoRet": 1},
{"names": [], "action": "SCMP_ACT_LOG"},
{"names": ["kill"], "Action": "SCMP_ACT_LOG", "args": [{"index": 0, "valueTwo": 1, "value": 7, "op": "SCMP_CMP_EQ"}]}]}`,
			`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_NATIVE"], "flags": [], "syscalls": [
{"names": ["read", "write"], "action": "SCMP_ACT_LOG"},
{"names": ["kill"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "value": 7, "op": "SCMP_CMP_EQ"}]}]}`,
		},
		{
			"values of the wrong type",
			"\ufeff" + `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_M68K"], "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": "0x5", "args": [{"index": "0", "value": "AF_ALG", "op": "SCMP_CMP_EQ"},],},]}`,
			"\ufeff" + `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_M68K"], "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "args": [{"index": 0, "value": 38, "op": "SCMP_CMP_EQ"}]}]}`,
		},
		{
			"a guess is not a cure",
			`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_M68K"], "syscalls": [{"names": ["moutn"], "action": "SCMP_ACT_ERRNO"}, {"names": ["write"], "action": "SCMP_ACT_EPERM"}]}`,
			`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_M68K"], "syscalls": [{"names": ["moutn"], "action": "SCMP_ACT_ERRNO"}, {"names": ["write"], "action": "SCMP_ACT_EPERM"}]}`,
		},
		{
			"rules that depend on the target",
			`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_BPF"]}}, {"names": ["exit_group"], "action": "SCMP_ACT_ALLOW"}]}`,
			`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_BPF"]}}, {"names": ["exit_group"], "action": "SCMP_ACT_ALLOW"}]}`,
		},
		{"not JSON", `{"defaultAction": `, `{"defaultAction": `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Fix(language.NewSource([]byte(tt.before)), Options{Target: policy.Target{ABI: arch.X86_64}})
			if diff := cmp.Diff(tt.after, string(got.Text)); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
			checkFixed(t, got, Options{Target: policy.Target{ABI: arch.X86_64}})
		})
	}
}

// checkFixed checks that nothing is left that Fix cures.
func checkFixed(t *testing.T, got Fixed, o Options) {
	t.Helper()
	for _, f := range Check(language.NewSource(got.Text), o).Findings {
		if f.Fixable() {
			t.Errorf("is left: %s %s %s", f.Pointer, f.ID, f.Reason)
		}
	}
	if again := Fix(language.NewSource(got.Text), o); len(again.Cured) > 0 || string(again.Text) != string(got.Text) {
		t.Errorf("a second time it cures %d more", len(again.Cured))
	}
}

// Under every profile that the tests have, for every consumer, what is cured is gone, and
// what is not is no worse than before.
func TestFixOfEveryProfile(t *testing.T) {
	profiles, err := filepath.Glob("testdata/*.json")
	if err != nil || len(profiles) == 0 {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../../testdata/profiles/*.json")
	if err != nil || len(more) == 0 {
		t.Fatal(err)
	}
	cured := 0
	texts := [][]byte{preset.Docker()}
	for _, name := range append(profiles, more...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	for i, text := range texts {
		for _, c := range append(Consumers(), 0) {
			o := Options{For: c, Target: policy.Target{ABI: arch.X86_64, Caps: c.DefaultCaps()}}
			before := Check(language.NewSource(text), o)
			got := Fix(language.NewSource(text), o)
			checkFixed(t, got, o)
			cured += len(got.Cured)
			if got.Report.Worst() > before.Worst() || before.Program != nil && got.Report.Program == nil {
				t.Errorf("profile %d for %v: %v became %v\n%s", i, c, before.Worst(), got.Report.Worst(), transcript(got.Report))
			}
		}
	}
	if cured < gen.Many(100, 500) {
		t.Errorf("%d findings cured", cured)
	}
}

// blemish makes mistakes in the JSON of a policy that do not change its meaning: all that
// Fix undoes without a change.
func blemish(r *rand.Rand, text string) string {
	for _, m := range []struct{ from, to string }{
		{`"defaultAction":`, `"DefaultAction":`},
		{`"names":`, `"Names":`},
		{`"action":`, `"ACTION":`},
		{`"action": "SCMP_ACT_ALLOW"`, `"action": "SCMP_ACT_ALLOW", "errnoRet": 7`},
		{`"action": "SCMP_ACT_KILL_PROCESS"`, `"errnoRet": 7, "action": "SCMP_ACT_KILL_PROCESS"`},
		{`"op": "SCMP_CMP_EQ"`, `"valueTwo": 3, "op": "SCMP_CMP_EQ"`},
		{`"op": "SCMP_CMP_NE"`, `"op": "SCMP_CMP_NE", "valueTwo": 18446744073709551615`},
		{`"syscalls": [`, `"listenerMetadata": "", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"},`},
	} {
		if n := strings.Count(text, m.from); n > 0 && r.IntN(2) == 0 {
			parts := strings.SplitN(text, m.from, r.IntN(n)+2)
			last := len(parts) - 1
			text = strings.Join(parts[:last], m.from) + m.to + parts[last]
		}
	}
	return text
}

// Cures that claim to change nothing are proved to change nothing, for all calls.
func TestHarmlessFixesAreProved(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(gen.Many(300, 3000)) {
		r := gen.New(seed)
		p := gen.Policy(r, gen.Options{Entries: 6})
		if r.IntN(2) == 0 && len(p.Rules) > 0 { // a duplicate
			p.Rules = append(p.Rules, p.Rules[r.IntN(len(p.Rules))])
		}
		text, err := oci.Print(p)
		if err != nil {
			t.Fatal(err)
		}
		source := language.NewSource([]byte(blemish(r, text)))
		o := Options{NoStart: true, Target: policy.Target{ABI: arch.X86_64}}
		before := review(source, o)
		if before.Resolved == nil {
			continue
		}
		var cures []*cure
		for _, f := range before.Findings {
			if f.Fixable() && f.cure.same {
				cures = append(cures, f.cure)
				seen[f.ID]++
			}
		}
		fixed, changed := before.cured(cures)
		if changed != (len(cures) > 0) {
			t.Fatalf("seed %d: %d cures, changed %v", seed, len(cures), changed)
		}
		after := Check(language.NewSource(fixed), o)
		if after.Resolved == nil {
			t.Fatalf("seed %d: %s\nbecame\n%s\n%s", seed, source.Data(), fixed, transcript(after))
		}
		result, err := proof.Equal(proof.Policy(before.Resolved), proof.Policy(after.Resolved), proof.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if result.Verdict != proof.Same {
			t.Errorf("seed %d: %+v\n%s\nbecame\n%s", seed, result, source.Data(), fixed)
		}
	}
	for _, id := range []string{"letter-case", "ignored-errno", "unused-value", "no-names", "duplicate"} {
		if seen[id] < 10 {
			t.Errorf("%s: cured %d times", id, seen[id])
		}
	}
}

// Cures that change something change what they say and nothing else: without the calls
// that they name, both profiles are proved equal.
func TestOtherFixesChangeWhatTheySay(t *testing.T) {
	cured := 0
	for seed := range uint64(gen.Many(200, 2000)) {
		r := gen.New(seed)
		p := gen.Policy(r, gen.Options{Entries: 6, Dense: seed%2 == 0})
		p.ListenerMetadata, p.ListenerPath = "", ""
		text, err := oci.Print(p)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{For: []Consumer{Docker, Runc, Crun}[seed%3], Target: policy.Target{ABI: arch.X86_64}}
		before := Check(language.NewSource([]byte(text)), o)
		if before.Resolved == nil {
			continue
		}
		got := Fix(language.NewSource([]byte(text)), o)
		if got.Report.Policy == nil {
			t.Fatalf("seed %d: %s", seed, got.Text)
		}
		var calls []string
		for _, f := range got.Cured {
			if f.cure.same {
				continue
			}
			cured++
			calls = append(append(calls, f.cure.allow...), f.cure.enosys...)
			for pointer := range f.cure.set { // a mask
				i := slices.IndexFunc(before.Policy.Rules, func(rule policy.Rule) bool { return strings.HasPrefix(pointer, rule.Pointer+"/") })
				calls = append(calls, before.Policy.Rules[i].Names...)
			}
		}
		was, is := without(t, before.Policy, calls), without(t, got.Report.Policy, calls)
		result, err := proof.Equal(proof.Policy(was), proof.Policy(is), proof.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if result.Verdict != proof.Same {
			t.Errorf("seed %d: %v: %+v\n%s\nbecame\n%s", seed, calls, result, text, got.Text)
		}
	}
	if cured < gen.Many(100, 500) {
		t.Errorf("%d findings cured", cured)
	}
}

// without resolves a policy without what it says about some calls, and without the bound
// that the largest of them sets.
func without(t *testing.T, p *policy.Policy, calls []string) *policy.Resolved {
	t.Helper()
	q := *p
	q.Rules = nil
	for _, rule := range p.Rules {
		rule.Names = slices.DeleteFunc(slices.Clone(rule.Names), func(name string) bool { return slices.Contains(calls, name) })
		if len(rule.Names) > 0 {
			q.Rules = append(q.Rules, rule)
		}
	}
	off, err := policy.ParseENOSYS("off")
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := policy.Resolve(&q, policy.Options{ABIs: []arch.ABI{arch.X86_64}, ENOSYS: off})
	if err != nil {
		t.Fatal(fmt.Errorf("%w: %+v", err, q))
	}
	return r
}
