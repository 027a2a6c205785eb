package answer

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/proof"
)

const small = `{
	"defaultAction": "SCMP_ACT_ERRNO",
	"architectures": ["SCMP_ARCH_X86_64"],
	"syscalls": [
		{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
		{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}
	]
}`

func onAMD64() *intake.Target { return &intake.Target{ABIs: []string{"x86_64"}, ENOSYS: "off"} }

func input(text string) *intake.Input { return intake.New("p.json", "p.json", []byte(text)) }

// document returns the JSON of a document as maps.
func document(t *testing.T, doc any) map[string]any {
	t.Helper()
	text, err := Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// One evaluator answers many calls, and says why.
func TestEvaluator(t *testing.T) {
	e, err := NewEvaluator(onAMD64(), input(small), "x86_64", true)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ call, verdict, because string }{
		{"read", "ALLOW", "by the rule at /syscalls/0"},
		{"socket AF_UNIX", "ALLOW", "by the rule at /syscalls/1"},
		{"socket AF_ALG SOCK_SEQPACKET 0", "ERRNO(1) EPERM", "by the default action at /defaultAction"},
		{"0x40000000", "KILL_THREAD", "bad arch: the profile is not for calls of x32"},
	}
	for _, tt := range tests {
		words := strings.Fields(tt.call)
		x, err := e.Ask(words[0], words[1:], false)
		if err != nil {
			t.Fatal(err)
		}
		doc := document(t, x.Document())
		if doc["verdict"] != tt.verdict || x.Because != tt.because || len(x.Steps) == 0 {
			t.Errorf("%s: %v, %s, %d steps; want %s, %s", tt.call, doc["verdict"], x.Because, len(x.Steps), tt.verdict, tt.because)
		}
	}
	var f *failure.Error
	if _, err := e.Ask("sokcet", nil, false); !errors.As(err, &f) || f.Hint != "did you mean socket?" {
		t.Errorf("error %v", err)
	}
}

// The words for a call are those that its number has in the list of all.
func TestTreatmentText(t *testing.T) {
	s, err := NewSide(onAMD64(), input(small))
	if err != nil {
		t.Fatal(err)
	}
	x, err := Explain(s, nil, false, proof.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, one := range x.Treatments[0].BySyscall() {
		if got := x.Treatments[0].Text(one.First); got != one.Sentence.String() {
			t.Errorf("%s: %q, but the list says %q", one.Name, got, one.Sentence)
		}
		said[one.Name] = one.Sentence.String()
	}
	for name, want := range map[string]string{
		"write": "ALLOW", "socket": "ALLOW if family == AF_UNIX; else ERRNO(1) EPERM", "mount": "ERRNO(1) EPERM",
	} {
		if said[name] != want {
			t.Errorf("%s: %q, want %q", name, said[name], want)
		}
	}
	if text := x.Treatments[0].Text(arch.X32Bit); text != "" {
		t.Errorf("a number of x32 is said to get %q on x86_64", text)
	}
}

func TestDiff(t *testing.T) {
	a, err1 := NewSide(onAMD64(), input(small))
	b, err2 := NewSide(onAMD64(), input(strings.Replace(small, `"write"`, `"mount"`, 1)))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		weakerOnly bool
		want       string
	}{{false, "weaker mount, stricter write"}, {true, "weaker mount"}}
	for _, tt := range tests {
		d, err := Diff(a, b, tt.weakerOnly, false, proof.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range document(t, d.Document())["changes"].([]any) {
			m := c.(map[string]any)
			got = append(got, m["change"].(string)+" "+m["calls"].([]any)[0].(string))
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("weaker only %v: %s, want %s", tt.weakerOnly, s, tt.want)
		}
	}
}

// A review fails at errors unless it is told otherwise, and a filter has a grade but no
// findings.
func TestCheck(t *testing.T) {
	tests := []struct {
		name, text string
		bad        bool
		findings   int // at least
		grade      string
	}{
		{"profile", small, true, 1, "A"},
		{"refused", `{"defaultAction": "SCMP_ACT_NONSENSE"}`, true, 1, ""},
		{"filter", ".order little\n\tret #0x7fff0000\n", false, 0, "F"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Check(onAMD64(), input(tt.text), CheckOptions{For: "docker"})
			if err == nil {
				err = c.Rate([]string{"x86_64"}, "", proof.Limits{})
			}
			if err != nil {
				t.Fatal(err)
			}
			letter := ""
			if c.Grade != nil {
				letter = c.Grade.Letter()
			}
			if c.FailOn != lint.Error || c.Bad() != tt.bad || len(c.Report.Findings) < tt.findings || letter != tt.grade {
				t.Errorf("bad %v, %d findings, grade %q, want %+v", c.Bad(), len(c.Report.Findings), letter, tt)
			}
			if doc := document(t, CheckDocument([]*Checked{c}, false)); doc["ok"] != !tt.bad {
				t.Errorf("%v", doc)
			}
		})
	}
}

// No JSON text has characters that a terminal obeys.
func TestMarshalEscapes(t *testing.T) {
	text, err := Marshal(map[string]string{"name": "\x1b[31m\u202e<"})
	if want := `\u001b[31m\u202e<`; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestLimits(t *testing.T) {
	for patience, ok := range map[int]bool{0: false, 1: true, MaxPatience: true, MaxPatience + 1: false, -1: false} {
		if _, err := Limits(patience); (err == nil) != ok {
			t.Errorf("%d: %v", patience, err)
		}
	}
}
