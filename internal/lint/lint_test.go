package lint

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/golden"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

var update = flag.Bool("update", false, "rewrite the golden files from what the code does now")

// Every text of testdata is all that Check finds in the profile that its first line
// names, with the options behind the name.
func TestGoldens(t *testing.T) {
	texts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(texts) == 0 {
		t.Fatalf("no texts: %v", err)
	}
	used := map[string]bool{}
	seen := map[string]bool{}
	for _, text := range texts {
		t.Run(strings.TrimSuffix(filepath.Base(text), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(text)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(want), "\n")
			words := strings.Fields(first)
			used[words[0]] = true
			data, err := os.ReadFile(filepath.Join("testdata", words[0]))
			if err != nil {
				t.Fatal(err)
			}
			r := Check(language.NewSource(data), parseOptions(t, words[1:]))
			for _, f := range r.Findings {
				seen[f.ID] = true
			}
			got := first + "\n" + transcript(r)
			golden.Check(t, *update, text, got)
		})
	}
	profiles, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range profiles {
		if !used[filepath.Base(p)] {
			t.Errorf("%s: no text is about it", p)
		}
	}
	for _, e := range Catalog() {
		// See TestTooLong and TestArtifactLimits; there are no defects; two are about other
		// languages, and two about another profile.
		if !seen[e.ID] && !slices.Contains([]string{"uncompilable", "artifact-limit", "defect", "ignored", "dialects-differ", "baseline", "baseline-abi"}, e.ID) {
			t.Errorf("%s: no text has it", e.ID)
		}
	}
}

// parseOptions reads options, as "for=podman abis=x86_64,x86 caps=CAP_KILL kernel=4.19
// mode=strict bad-arch=allow exact start=false". The target is x86_64 unless abis says otherwise.
func parseOptions(t *testing.T, words []string) Options {
	t.Helper()
	o := Options{Target: policy.Target{ABI: arch.X86_64}}
	var err error
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "for":
			o.For, err = ParseConsumer(value)
		case "abis":
			for name := range strings.SplitSeq(value, ",") {
				a, err := arch.Parse(name)
				if err != nil {
					t.Fatal(err)
				}
				o.Resolve.ABIs = append(o.Resolve.ABIs, a)
			}
			o.Target.ABI = o.Resolve.ABIs[0]
		case "caps":
			o.Target.Caps = strings.Split(value, ",")
		case "kernel":
			o.Target.Kernel, err = syscalltables.ParseVersion(value)
		case "mode":
			o.Resolve.Mode, err = policy.ParseMode(value)
		case "exact":
			o.Resolve.Exact = true
		case "start":
			o.NoStart = value == "false"
		case "bad-arch":
			o.Resolve.BadArch = cbpf.Allow
		default:
			t.Fatalf("no such option: %s", word)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if o.Target.Caps == nil {
		o.Target.Caps = o.For.DefaultCaps()
	}
	return o
}

// transcript is all that a report says.
func transcript(r *Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%d:%d: %v: %s: %s (%s)\n\tfix: %s\n", f.Line, f.Column, f.Severity, f.Pointer, f.Reason, f.ID, f.Fix)
	}
	stage := "refused when read"
	switch {
	case r.Program != nil:
		stage = "compiled"
	case r.Resolved != nil:
		stage = "refused when compiled"
	case r.Policy != nil:
		stage = "refused when resolved"
	}
	return b.String() + stage + "\n"
}

func TestCatalog(t *testing.T) {
	entries := Catalog()
	if !slices.IsSortedFunc(entries, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the entries are not in order")
	}
	for i, e := range entries {
		if i > 0 && e.ID == entries[i-1].ID {
			t.Errorf("%s is there twice", e.ID)
		}
		if e.Severity == 0 || e.Title == "" || e.Why == "" || e.Fix == "" {
			t.Errorf("%s says too little", e.ID)
		}
		if !strings.HasSuffix(e.Why, ".") || strings.HasSuffix(e.Fix, ".") || strings.HasSuffix(e.Title, ".") {
			t.Errorf("%s: sentences end in a full stop, phrases do not", e.ID)
		}
	}
}

// Every kind of package policy is an entry of the same name, unless it is about numbers,
// which no file has that Check reads.
func TestKindsAreEntries(t *testing.T) {
	declared := regexp.MustCompile(`(?:Warning|Error)Kind += "([a-z-]+)"`)
	for _, file := range []string{"../../policy/warnings.go", "../../policy/errors.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kinds := declared.FindAllSubmatch(text, -1)
		if len(kinds) < 5 {
			t.Errorf("%s: found %d kinds", file, len(kinds))
		}
		for _, k := range kinds {
			if !strings.HasSuffix(string(k[1]), "-number") && !slices.ContainsFunc(catalog[:], func(e Entry) bool { return e.ID == string(k[1]) }) {
				t.Errorf("no entry for %s", k[1])
			}
		}
	}
}

func TestTooLong(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [`)
	for i := range 5000 {
		fmt.Fprintf(&b, `{"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": %d, "op": "SCMP_CMP_EQ"}]},`, i*i*i)
	}
	b.WriteString(`{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`)
	r := Check(language.NewSource([]byte(b.String())), Options{})
	i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == "uncompilable" })
	if i < 0 || r.Program != nil || r.Resolved == nil || r.Worst() != Error {
		t.Fatalf("findings %v", r.Findings)
	}
	if f := r.Findings[i]; !strings.Contains(f.Reason, "4096") || !strings.Contains(f.Fix, "ioctl") {
		t.Errorf("%+v", f)
	}
}

func TestWorst(t *testing.T) {
	for _, tt := range []struct {
		profile string
		want    Severity
	}{
		{`{`, Error},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_RISCV64"]}`, Note},
		{`{"defaultAction": "SCMP_ACT_LOG", "architectures": ["SCMP_ARCH_RISCV64"]}`, Warning},
		{`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_M68K"], "syscalls": [{"names": ["execve", "exit"], "action": "SCMP_ACT_ALLOW"}]}`, 0},
		{`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_RISCV64"], "syscalls": [{"names": ["execve", "exit"], "action": "SCMP_ACT_ALLOW"}]}`, Warning},
		{`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_RISCV64"], "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`, Error},
	} {
		if r := Check(language.NewSource([]byte(tt.profile)), Options{}); r.Worst() != tt.want {
			t.Errorf("%s: %v, want %v\n%s", tt.profile, r.Worst(), tt.want, transcript(r))
		}
	}
}

// A rule that lacks names is an error where the runtime refuses it, one with an empty list is
// not (tried with crun 1.8.1).
func TestNoNames(t *testing.T) {
	for _, tt := range []struct {
		consumer       Consumer
		missing, empty Severity
	}{
		{0, Warning, Warning},
		{Runc, Warning, Warning},
		{Docker, Warning, Warning},
		{Crun, Error, Warning},
		{Podman, Error, Warning},
		{PodmanRunc, Warning, Warning},
		{CRIO, Error, Warning},
		{Youki, Error, Warning},
		{Youki06, Error, Warning},
		{KEP6061, Error, Error},
	} {
		for names, want := range map[string]Severity{``: tt.missing, `"names": null, `: tt.missing, `"names": [], `: tt.empty} {
			profile := `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{` + names + `"action": "SCMP_ACT_ERRNO"}]}`
			r := Check(language.NewSource([]byte(profile)), Options{For: tt.consumer, Target: policy.Target{ABI: arch.X86_64}})
			i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == "no-names" })
			if i < 0 || r.Findings[i].Severity != want {
				t.Errorf("%v: %s: %v, want %v", tt.consumer, profile, r.Findings, want)
			}
		}
	}
}

func TestConsumerThatDoesNotExist(t *testing.T) {
	r := Check(language.NewSource([]byte(`{"defaultAction": "SCMP_ACT_ALLOW"}`)), Options{For: Youki06 + 1})
	if len(r.Findings) != 1 || r.Worst() != Error || r.Policy != nil {
		t.Errorf("%+v", r)
	}
}

func TestWords(t *testing.T) {
	for _, c := range Consumers() {
		if got, err := ParseConsumer(c.String()); err != nil || got != c {
			t.Errorf("%v: %v, %v", c, got, err)
		}
	}
	for s := Note; s <= Error; s++ {
		if got, err := ParseSeverity(s.String()); err != nil || got != s {
			t.Errorf("%v: %v, %v", s, got, err)
		}
	}
	for _, word := range []string{"", "Docker", "none"} {
		if c, err := ParseConsumer(word); err == nil {
			t.Errorf("%q is %v", word, c)
		}
		if s, err := ParseSeverity(word); err == nil {
			t.Errorf("%q is %v", word, s)
		}
	}
}

func TestSentences(t *testing.T) {
	for _, tt := range []struct{ message, reason, fix string }{
		{"a reason", "a reason", ""},
		{"a reason (a cure)", "a reason", "a cure"},
		{"a reason (a cure (with more) in it)", "a reason", "a cure (with more) in it"},
		{"gets ERRNO(1)", "gets ERRNO(1)", ""},
		{"a call(a0 = 0x1) is so (narrow it)", "a call(a0 = 0x1) is so", "narrow it"},
		{"a reason (on x86, arm)", "a reason (on x86, arm)", ""},
		{"a reason (a cure) (on x86)", "a reason (on x86)", "a cure"},
		{"unknown (did you mean openat?)", "unknown", "write openat"},
		{"unknown (known: A, B)", "unknown", "write one of A, B"},
		{"(all of it)", "(all of it)", ""},
		{"", "", ""},
		{"x )", "x )", ""},
	} {
		if reason, fix := sentences(tt.message); reason != tt.reason || fix != tt.fix {
			t.Errorf("%q: %q, %q", tt.message, reason, fix)
		}
	}
}
