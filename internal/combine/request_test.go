package combine

import (
	"errors"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
)

const (
	reads  = `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"names": ["read", "exit_group"], "action": "SCMP_ACT_ALLOW"}]}`
	writes = `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"names": ["write", "exit_group"], "action": "SCMP_ACT_ALLOW"}]}`
	allow  = ".order little\n\tret #0x7fff0000\n"
)

// of returns a request about texts on x86_64.
func of(t *testing.T, r Request, texts ...string) *Request {
	t.Helper()
	r.Target = &intake.Target{ABIs: []string{"x86_64"}}
	for _, text := range texts {
		if _, err := r.Add(intake.New("p", "p", []byte(text))); err != nil {
			t.Fatal(err)
		}
	}
	return &r
}

func TestRequest(t *testing.T) {
	tests := []struct {
		name   string
		r      *Request
		allows string // names that the profile allows
		err    string
	}{
		{"intersect", of(t, Request{}, reads, writes), "exit_group", ""},
		{"union", of(t, Request{Op: algebra.Union}, reads, writes), "read exit_group write", ""},
		{"the same", of(t, Request{}, reads, reads), "read exit_group", ""},
		{"a filter", of(t, Request{}, reads, allow), "", "intersect: no profile can be made of assembly text: p"},
		{"a union with a filter", of(t, Request{Op: algebra.Union}, reads, allow), "", "union: expected profiles, but p is assembly text"},
		{"an unknown word", of(t, Request{Accept: []string{"forein"}}, reads, writes), "", `--accept: unknown word "forein"`},
		{"unknown data", of(t, Request{Data: "any"}, reads, writes), "", `--data: unknown word "any"`},
		{"too few rules", of(t, Request{MaxRules: -1}, reads, writes), "", "--max-rules: expected a number from 1 on, got -1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p *Profile
			c, err := tt.r.Combine()
			if err == nil {
				p, err = c.Write()
			}
			if tt.err != "" {
				var f *failure.Error
				if !errors.As(err, &f) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			m, err := tt.r.Target.Meaning(intake.New("out", "out", p.Text))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, rule := range m.Policy.Rules {
				names = append(names, rule.Names...)
			}
			if got := strings.Join(names, " "); got != tt.allows {
				t.Errorf("%s: allows %s, want %s", tt.name, got, tt.allows)
			}
			if (p.Own != "") != (tt.name == "the same") {
				t.Errorf("the text of %q", p.Own)
			}
		})
	}
}

// Filters are merged in their order, with profiles among them.
func TestMerge(t *testing.T) {
	r := of(t, Request{}, reads, allow)
	if r.FirstFilter() == nil || r.Name() != "p + p" {
		t.Errorf("filter %v of %s", r.FirstFilter(), r.Name())
	}
	merged, err := r.Merge()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]bool{0: true, 1: false} { // read, write
		call, err := intake.ParseCall(arch.X86_64, []string{"read", "write"}[i], nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := merged.Program.Eval(&call.Data) == cbpf.Allow; got != want {
			t.Errorf("%s is allowed: %v, want %v", call.Text(false), got, want)
		}
	}
}
