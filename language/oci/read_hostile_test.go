package oci

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/policy"
)

// BenchmarkReadHostile shows that every shape of input takes time in proportion to
// its length: the time for each byte does not grow.
func BenchmarkReadHostile(b *testing.B) {
	list := func(before, item, after string) func(n int) string {
		return func(n int) string { return before + strings.Repeat(item+",", n) + item + after }
	}
	const top = `{"defaultAction": "SCMP_ACT_ERRNO", `
	tests := []struct {
		name string
		text func(n int) string
	}{
		{"rules", list(top+`"syscalls": [`, `{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}`, `]}`)},
		{"conditional rules", list(top+`"syscalls": [`, `{"name": "read", "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_CHOWN"], "minKernel": "4.8"}}`, `]}`)},
		{"names", list(top+`"syscalls": [{"action": "SCMP_ACT_ALLOW", "names": [`, `"read"`, `]}]}`)},
		{"bad rules", list(top+`"syscalls": [`, `{"name": 1, "args": [{}]}`, `]}`)},
		{"bad words", list(top+`"architectures": [`, `"SCMP_ARCH_X87"`, `]}`)},
		{"unknown words", list(top+`"syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "includes": {"arches": [`, `"amd46"`, `]}}]}`)},
		{"unknown keys", list(top, `"syscals": 0`, `}`)},
		{"twice the key", list(top, `"flags": []`, `}`)},
		{"wrong case", list(top, `"Flags": []`, `}`)},
		{"lines", func(n int) string { return top + strings.Repeat("\n", 8*n) + `"flags": 0}` }},
		{"escapes", func(n int) string { return top + `"listenerPath": "` + strings.Repeat(`\ud83d\ude00`, n) + `"}` }},
		{"digits", func(n int) string { return top + `"defaultErrnoRet": ` + strings.Repeat("1", 8*n) + `}` }},
		{"long key", func(n int) string { return top + `"` + strings.Repeat("defaultAction", n) + `": 1}` }},
		{"lists", list(top+`"x": [`, `[],{}`, `]}`)},
		{"config", list(`{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}}, "mounts": [`, `{"a": []}`, `]}`)},
	}
	for _, tt := range tests {
		for _, n := range []int{2000, 32000} {
			text := []byte(tt.text(n))
			b.Run(fmt.Sprintf("%s/%d", tt.name, n), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					_, _, _ = Read(text, policy.Target{})
				}
			})
		}
	}
}

func TestManyRulesAreRead(t *testing.T) {
	const n = 10_000
	var b strings.Builder
	b.WriteString(`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [`)
	for i := range n {
		fmt.Fprintf(&b, `{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": %d, "op": "SCMP_CMP_EQ"}]},`, i)
	}
	b.WriteString(`{"names": ["exit"], "action": "SCMP_ACT_ALLOW"}]}`)
	p, _, err := Read([]byte(b.String()), policy.Target{})
	if err != nil || len(p.Rules) != n+1 {
		t.Fatal(err)
	}
	last := p.Rules[n-1]
	if last.Args[0].Value != n-1 || last.Pointer != "/syscalls/9999" {
		t.Errorf("rule %+v", last)
	}
}

// However bad a profile is, the answer stays short, and says that it is not all.
func TestRemarksAreBounded(t *testing.T) {
	const n = 5 * maxRemarks
	text := `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [` + strings.Repeat(`{"names": ["read"], "action": "", "x": 0},`, n) + `0]}`
	p, warnings, err := Read([]byte(text), policy.Target{})
	errs, ok := err.(policy.Errors)
	if p != nil || !ok || len(errs) != maxRemarks+1 {
		t.Fatalf("policy %v, %d problems", p, len(errs))
	}
	if last := errs[maxRemarks].Error(); !strings.Contains(last, "there may be more problems") {
		t.Error(last)
	}
	if len(warnings) != maxRemarks {
		t.Errorf("%d warnings of the %d rules that were read", len(warnings), maxRemarks)
	}
	// Warnings alone stop nothing, and are counted.
	text = `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [` + strings.Repeat(`{"names": ["read"], "action": "SCMP_ACT_LOG", "x": 0},`, n) + `{"names": ["a"], "action": "SCMP_ACT_LOG"}]}`
	p, warnings, err = Read([]byte(text), policy.Target{})
	if err != nil || len(p.Rules) != n+1 || len(warnings) != maxRemarks+1 {
		t.Fatalf("%d warnings, error %v", len(warnings), err)
	}
	last := warnings[maxRemarks]
	if want := "4000 more of these warnings are not listed"; last.More != n-maxRemarks || last.Message != want {
		t.Errorf("last warning %+v, want %q", last, want)
	}
}

func TestHugeNumbersAreQuotedShort(t *testing.T) {
	for _, digits := range []string{strings.Repeat("9", 1<<20), "-" + strings.Repeat("9", 1<<20), "1e" + strings.Repeat("9", 1<<20), "0." + strings.Repeat("0", 1<<20) + "1"} {
		text := `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": ` + digits + `}]}]}`
		_, _, err := Read([]byte(text), policy.Target{})
		if err == nil || len(err.Error()) > 200 || !strings.HasPrefix(err.Error(), "policy: /syscalls/0/args/0/value: "+digits[:40]) {
			t.Errorf("%.20s: error %.300v", digits, err)
		}
	}
	long := strings.Repeat("A", 1<<20)
	_, _, err := Read([]byte(`{"defaultAction": "`+long+`"}`), policy.Target{})
	if err == nil || len(err.Error()) > 500 {
		t.Errorf("error %.300v", err)
	}
}
