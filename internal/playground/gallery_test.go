package playground

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

// answered asks a question and reads the answer.
func answered[A any](t testing.TB, e *Engine, op string, question any) A {
	t.Helper()
	var r struct {
		Answer  A
		Failure *Failure
	}
	if err := json.Unmarshal(ask(t, e, op, question), &r); err != nil {
		t.Fatal(err)
	}
	if r.Failure != nil {
		t.Fatalf("%s: %s (%s)", op, r.Failure.Message, r.Failure.Hint)
	}
	return r.Answer
}

// eachExample runs a test for each example of the gallery, and its second source.
func eachExample(t *testing.T, test func(t *testing.T, e *Engine, x *Example, s Subject)) {
	e := New("")
	for _, entry := range answered[Vocabulary](t, e, "vocabulary", nothing{}).Gallery {
		x := answered[Example](t, e, "gallery", galleryOf{entry.ID})
		t.Run(entry.ID, func(t *testing.T) { test(t, e, &x, Subject{x.Source, x.Target}) })
		if x.Second != nil {
			t.Run(entry.ID+" B", func(t *testing.T) { test(t, e, &x, Subject{*x.Second, x.Target}) })
		}
	}
}

// Every example is good, has places for its rules and answers all questions.
func TestGallery(t *testing.T) {
	eachExample(t, func(t *testing.T, e *Engine, x *Example, s Subject) {
		r := answered[Reading](t, e, "read", s)
		if !r.Good || r.Instructions == 0 || r.Proof == "" || r.Kind == "profile" && (len(r.Rules) == 0 || r.Plain == 0) {
			t.Errorf("%+v", r)
		}
		for _, f := range r.Findings {
			if f.Severity == "error" || f.Why == "" {
				t.Errorf("%+v", f)
			}
		}
		if m := answered[[]ABIMeaning](t, e, "meaning", s); len(m) < 2 || len(m[0].Sentences) < 2 {
			t.Errorf("meaning: %+v", m)
		}
		if p := answered[[]Instruction](t, e, "program", s); len(p) != r.Instructions {
			t.Errorf("%d instructions, want %d", len(p), r.Instructions)
		}
		if d := answered[Drawing](t, e, "draw", drawOf{s, diagram, ""}); d.Boxes < 3 {
			t.Errorf("%d boxes", d.Boxes)
		}
		if g := answered[Grade](t, e, "grade", s); g.Letter == "" || len(g.Rows) == 0 {
			t.Errorf("%+v", g)
		}
		if x.Call == nil {
			t.Fatal("the example has no call")
		}
		if v := answered[Verdict](t, e, "eval", evalOf{s, *x.Call, diagram, ""}); v.Text == "" || len(v.Path.Nodes) < 3 {
			t.Errorf("%+v", v)
		}
		for i, o := range answered[[]Outcome](t, e, "expect", expectOf{s, x.Expectations}) {
			if o.Failure != nil || !o.Pass && x.Second == nil {
				t.Errorf("%+v: %+v", x.Expectations[i], o)
			}
		}
		if x.Second != nil {
			c := answered[Comparison](t, e, "compare", compareOf{Subject{x.Source, x.Target}, *x.Second})
			if c.Weaker || c.Headline == "" || len(c.Words) != 1 || c.Words[0].When != "family == AF_ALG" {
				t.Errorf("%+v", c)
			}
		}
	})
}

// The page says of every call of every ABI what the command says, in the same document, and the
// trail of each call has all that the call passes.
func TestEveryCall(t *testing.T) {
	eachExample(t, func(t *testing.T, e *Engine, _ *Example, s Subject) {
		for _, abi := range answered[Reading](t, e, "read", s).ABIs {
			command := commandEvaluator(t, s, abi)
			a, err := intake.ParseABI(abi)
			if err != nil {
				t.Fatal(err)
			}
			page, err := e.subject(s).evaluator(abi)
			if err != nil {
				t.Fatal(err)
			}
			page.Traced = false // for most: that takes long
			for nr, call := range syscalltables.All(a) {
				args := []string{"38", "0x10000002", "6"}
				got := verdictOf(t, e, s, abi, call.Name(), args)
				checkTrail(t, e, s, CallRef{abi, nr}, got)
				sameDocument(t, command, got.Document, call.Name(), args)
				for _, args := range [][]string{nil, {"1", "2", "3", "4", "5", "6"}} {
					x, err := page.Ask(call.Name(), args, false)
					if err != nil {
						t.Fatal(err)
					}
					sameDocument(t, command, x.Document(), call.Name(), args)
				}
			}
		}
	})
}

// sameDocument compares the page's document of a call with the command's.
func sameDocument(t *testing.T, command *answer.Evaluator, page any, call string, args []string) {
	t.Helper()
	want, err := command.Ask(call, args, false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain(t, want.Document()), plain(t, page)); diff != "" {
		t.Fatalf("%v %s(%v): command -, page +\n%s", command.ABI, call, args, diff)
	}
}

// commandEvaluator answers as seccompile eval -a ABI --json does.
func commandEvaluator(t *testing.T, s Subject, abi string) *answer.Evaluator {
	t.Helper()
	target := intake.Target{}
	if s.Source.Language != "" {
		target.Languages = []string{s.Source.Language}
	}
	in := intake.New(s.Source.Name, s.Source.Name, []byte(s.Source.Text))
	e, err := answer.NewEvaluator(&target, in, abi, false)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func verdictOf(t *testing.T, e *Engine, s Subject, abi, call string, args []string) *Verdict {
	t.Helper()
	text := call + "("
	for i, a := range args {
		if i > 0 {
			text += ", "
		}
		text += a
	}
	v, err := e.eval(&evalOf{s, CallText{abi, text + ")"}, diagram, ""})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// plain returns a document as JSON has it, without the trace.
func plain(t *testing.T, doc any) map[string]any {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "trace")
	return m
}

// checkTrail finds the path of a call in the trail of its number.
func checkTrail(t *testing.T, e *Engine, s Subject, call CallRef, v *Verdict) {
	t.Helper()
	trail, err := e.trail(&trailOf{s, diagram, "", Spot{Call: &call}})
	if err != nil {
		t.Fatal(err)
	}
	if err := within(&v.Path, trail); err != nil {
		t.Fatalf("%+v: %v", call, err)
	}
}

// within finds all of a path in a trail.
func within(path, trail *Trail) error {
	for _, n := range path.Nodes {
		if !slices.Contains(trail.Nodes, n) {
			return fmt.Errorf("box %d is not in the trail: %v", n, trail.Nodes)
		}
	}
	for _, pc := range path.PCs {
		if !slices.Contains(trail.PCs, pc) {
			return fmt.Errorf("instruction %d is not in the trail: %v", pc, trail.PCs)
		}
	}
	for _, p := range path.Pointers {
		if !slices.Contains(trail.Pointers, p) {
			return fmt.Errorf("rule %s is not in the trail: %v", p, trail.Pointers)
		}
	}
	return nil
}

// What a box, an instruction or a rule lights up lights it up in turn.
func TestTrailsAgree(t *testing.T) {
	eachExample(t, func(t *testing.T, e *Engine, _ *Example, s Subject) {
		for _, stage := range []string{diagram, tree} {
			if g, err := e.subject(s).drawing(stage, ""); err == nil { // a filter has no tree
				trailsAgree(t, e, s, stage, g)
			}
		}
	})
}

func trailsAgree(t *testing.T, e *Engine, s Subject, stage string, g *graph.Graph) {
	trail := func(spot Spot) *Trail {
		t.Helper()
		got, err := e.trail(&trailOf{s, stage, "", spot})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for box := range g.Len() {
		for _, pc := range trail(Spot{Node: &box}).PCs {
			if back := trail(Spot{PC: &pc}); !slices.Contains(back.Nodes, box) {
				t.Fatalf("%s: box %d lights instruction %d, which lights %v", stage, box, pc, back.Nodes)
			}
		}
	}
	filter, dark := e.subject(s).filter, 0
	for pc := range filter.Len() {
		got := trail(Spot{PC: &pc})
		for _, c := range got.Calls {
			if back := trail(Spot{Call: &c}); !slices.Contains(back.PCs, pc) {
				t.Fatalf("%s: instruction %d lights %+v, which lights %v", stage, pc, c, back.PCs)
			}
		}
		if len(got.Nodes) == 0 {
			dark++
		}
	}
	if dark > filter.Len()/4 {
		t.Errorf("%s: %d of %d instructions light no box", stage, dark, filter.Len())
	}
	for _, r := range answered[Reading](t, e, "read", s).Rules {
		got := trail(Spot{Pointer: &r.Pointer})
		for _, c := range got.Calls {
			if back := trail(Spot{Call: &c}); !slices.Contains(back.Pointers, r.Pointer) {
				t.Fatalf("%s: rule %s lights %+v, which lights %v", stage, r.Pointer, c, back.Pointers)
			}
		}
		if len(got.Calls) > 0 && (len(got.PCs) == 0 || len(got.Nodes) == 0) {
			t.Errorf("%s: rule %s has calls and lights nothing: %+v", stage, r.Pointer, got)
		}
	}
}

// Every example can be saved in every format, and a profile can be combined with the next.
func TestDownloads(t *testing.T) {
	e := New("")
	formats := answered[Vocabulary](t, e, "vocabulary", nothing{}).Formats
	eachExample(t, func(t *testing.T, e *Engine, _ *Example, s Subject) {
		names := map[string]bool{}
		for _, f := range formats {
			d := answered[Download](t, e, "download", downloadOf{s, f.Name})
			if d.Text == "" || d.Type == "" || names[d.Name] || d.Binary != (f.Name == "raw") || f.Title == f.Name {
				t.Errorf("%s: %.200v", f.Name, d)
			}
			names[d.Name] = true
			if f.Name == "raw" || f.Name == "asm" { // what was saved is the filter
				again := Subject{Source{Text: d.Text, Binary: d.Binary, Name: d.Name}, Target{}}
				if c := answered[Comparison](t, e, "compare", compareOf{s, again.Source}); len(c.Words) != 0 {
					t.Errorf("%s: %s", f.Name, c.Headline)
				}
			}
		}
		if f := failureOf(t, e, "download", downloadOf{s, "png"}); !strings.Contains(f.Message, `unknown format "png"`) {
			t.Errorf("%+v", f)
		}
	})
}

func TestCombine(t *testing.T) {
	e := New("")
	x86 := Target{ABIs: []string{"x86_64"}}
	profile := func(calls string) Source {
		return Source{Text: `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": [` + calls + `], "action": "SCMP_ACT_ALLOW"}]}`}
	}
	few, many := profile(`"read", "write", "membarrier"`), profile(`"read", "socket", "membarrier"`)
	unit := Source{Text: "[Service]\nSystemCallFilter=read write\n", Name: "a.service"}
	filter := Source{Text: ".order little\nld nr\njeq #1 jf 2\nret ALLOW\n2: ret ERRNO(1)\n"}
	for _, test := range []struct {
		name   string
		second Source
		how    string
		calls  map[string]string
	}{
		{"intersect", many, "intersect", map[string]string{"read": "ALLOW", "write": "ERRNO(1) EPERM", "socket": "ERRNO(1) EPERM"}},
		{"union", many, "union", map[string]string{"read": "ALLOW", "write": "ALLOW", "socket": "ALLOW", "mount": "ERRNO(1) EPERM"}},
		{"with a filter", filter, "intersect", map[string]string{"read": "ERRNO(1) EPERM", "write": "ALLOW", "socket": "ERRNO(1) EPERM"}},
		{"with a unit", unit, "intersect", map[string]string{"read": "ALLOW", "write": "ALLOW", "socket": "KILL_PROCESS"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := answered[Combined](t, e, "combine", combineOf{Subject{few, x86}, test.second, test.how})
			for call, want := range test.calls {
				s := Subject{Source{Text: c.Text, Name: c.Name}, x86}
				v := answered[Verdict](t, e, "eval", evalOf{s, CallText{Text: call}, diagram, ""})
				if got := v.Document.(map[string]any)["verdict"]; got != want {
					t.Errorf("%s: %s, want %s", call, got, want)
				}
			}
			if c.Note == "" || !strings.Contains(c.Note, "prove") && !strings.Contains(c.Note, "nearest") {
				t.Errorf("note %q", c.Note)
			}
		})
	}
	if f := failureOf(t, e, "combine", combineOf{Subject{few, x86}, filter, "union"}); f.Message == "" || strings.Contains(f.Message, "BUG") {
		t.Errorf("%+v", f)
	}
	if f := failureOf(t, e, "combine", combineOf{Subject{few, x86}, many, "subtract"}); !strings.Contains(f.Message, "subtract") {
		t.Errorf("%+v", f)
	}
}

func TestShrink(t *testing.T) {
	e := New("")
	x86 := Target{ABIs: []string{"x86_64"}}
	for _, test := range []struct {
		name   string
		source Source
		unit   string
	}{
		{"filter", Source{Text: ".order little\nld nr\njeq #1 jf 2\nret ALLOW\n2: jeq #2 jf 3\nret ALLOW\n3: ret ERRNO(1)\n"}, "instructions"},
		{"profile", Source{Text: `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [` +
			strings.Repeat(`{"names": ["read", "write", "close", "fstat"], "action": "SCMP_ACT_ALLOW"},`, 20) +
			`{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`}, "bytes"},
		{"profile of one line", Source{Text: `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"},{"names":["write"],"action":"SCMP_ACT_ALLOW"}]}`}, "bytes"},
		{"configuration of a container", Source{Text: `{"ociVersion":"1.2.0","process":{"args":["sh"]},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read","read"],"action":"SCMP_ACT_ALLOW"}]}}}`}, "bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := answered[Shrunk](t, e, "shrink", Subject{test.source, x86})
			if got.After >= got.Before || got.Unit != test.unit {
				t.Fatalf("%+v", got)
			}
			if c := answered[Comparison](t, e, "compare", compareOf{Subject{test.source, x86}, got.Source}); len(c.Words) != 0 {
				t.Errorf("%s", c.Headline)
			}
		})
	}
}

// Of each other language, the filter is as small as it gets, and the answer says why the text stays.
func TestShrinkNothing(t *testing.T) {
	e := New("")
	x86 := Target{ABIs: []string{"x86_64"}}
	for _, source := range []Source{
		{Text: "[Service]\nSystemCallFilter=read write\nExecStart=/bin/true\n", Name: "a.service"},
		{Text: "read: 1\nwrite: arg0 == 1\n", Name: "a.policy", Language: "minijail-c"},
		{Text: "defaultAction: SCMP_ACT_ERRNO # why\nsyscalls:\n- names: [read]\n  action: SCMP_ACT_ALLOW\n", Name: "a.yaml"},
		{Text: "POLICY a { ALLOW { read } } USE a DEFAULT KILL", Name: "a.kafel"},
	} {
		got := answered[Shrunk](t, e, "shrink", Subject{source, x86})
		if got.After != got.Before || got.Unit != "instructions" || got.Source.Text != source.Text || !strings.Contains(got.Note, "convert --to oci") {
			t.Errorf("%s: %+v", source.Name, got)
		}
		if r := answered[Reading](t, e, "read", Subject{source, x86}); r.Instructions != got.After {
			t.Errorf("%s: %d instructions, want %d", source.Name, got.After, r.Instructions)
		}
	}
}

// A filter in an artifact is as small as compile made it.
func TestShrinkArtifact(t *testing.T) {
	e := New("")
	x86 := Target{ABIs: []string{"x86_64"}}
	made, err := os.ReadFile("../../artifact/testdata/example.artifact")
	if err != nil {
		t.Fatal(err)
	}
	got := answered[Shrunk](t, e, "shrink", Subject{Source{Text: base64.StdEncoding.EncodeToString(made), Binary: true, Name: "example.artifact"}, x86})
	if got.After != got.Before || got.Unit != "instructions" {
		t.Errorf("%+v", got)
	}
}

// Expectations are written as the command reads them, and read back.
func TestExpectationFiles(t *testing.T) {
	e := New("")
	list := []Expectation{{"x86_64", "socket(AF_ALG, SOCK_SEQPACKET, 0)", "errno:EPERM"}, {"aarch64", "clone3", "errno:ENOSYS"}}
	d := answered[Download](t, e, "write-expectations", writeOf{list})
	if got := answered[[]Expectation](t, e, "read-expectations", readOf{d.Text}); !slices.Equal(got, list) {
		t.Errorf("%+v\n%s", got, d.Text)
	}
	docker := Subject{Source{Text: string(preset.Docker())}, Target{ABIs: []string{"x86_64"}}}
	for i, o := range answered[[]Outcome](t, e, "expect", expectOf{docker, list}) {
		if !o.Pass || o.Failure != nil {
			t.Errorf("%+v: %+v", list[i], o)
		}
	}
	bad := []Expectation{{"vax", "read", "allow"}, {"", "opeen", "allow"}, {"", "read", "spring"}, {"", "read(", ""}}
	for i, o := range answered[[]Outcome](t, e, "expect", expectOf{docker, bad}) {
		if o.Pass || o.Failure == nil {
			t.Errorf("%+v: %+v", bad[i], o)
		}
	}
	failureOf(t, e, "read-expectations", readOf{"nonsense"})
}

// A report is a page of its own about every example, and about a comparison.
func TestReports(t *testing.T) {
	eachExample(t, func(t *testing.T, e *Engine, x *Example, s Subject) {
		d := answered[Download](t, e, "report", reportOf{s, x.Second})
		if !strings.HasPrefix(d.Text, "<!DOCTYPE html>") || !strings.Contains(d.Text, s.Source.Name) || d.Type != "text/html" {
			t.Errorf("%.300s", d.Text)
		}
	})
}
