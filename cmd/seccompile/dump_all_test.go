package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/host"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// newTestSurvey returns a survey of no processes.
func newTestSurvey(t *testing.T) *survey {
	t.Helper()
	if arch.Native() == 0 {
		t.Skip("no ABI is this host's")
	}
	s, err := newApp(nil, io.Discard, io.Discard).newSurvey(proof.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// live makes filters of texts, the oldest first.
func live(t *testing.T, texts ...string) (list []loader.LiveFilter) {
	t.Helper()
	for _, text := range texts {
		p, err := cbpf.Assemble([]byte(".order "+intake.OrderName(arch.Native().ByteOrder())+"\n"+text), nil)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, loader.LiveFilter{Program: p})
	}
	return list
}

func take(t *testing.T, s *survey, threads ...*host.Thread) {
	t.Helper()
	for _, x := range threads {
		if x.Filters != nil {
			x.Mode = host.Filtered
		}
		if err := s.add(x); err != nil {
			t.Fatal(err)
		}
	}
}

const (
	allowAll = "ret ALLOW"
	denyAll  = "ret ERRNO(1)"
)

// However many threads have a filter, it is looked at once, and nothing of it is kept.
func TestSurveyKeepsNoFilters(t *testing.T) {
	s := newTestSurvey(t)
	text := strings.Repeat("ld nr\n", 4095) + "ret ALLOW"
	take(t, s, &host.Thread{PID: 1, TID: 1, Filters: live(t, text)})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	const threads = 300
	for tid := range threads {
		take(t, s, &host.Thread{PID: 2 + tid/2, TID: 2 + tid, Filters: live(t, text)})
	}
	if grown := int64(heap()) - int64(before); grown > threads*2048 { // the filters are 300 times 32 KiB
		t.Errorf("%d bytes are kept of %d threads", grown, threads)
	}
	s.settle()
	if len(s.filters) != 1 || len(s.stacks) != 1 || s.filters[0].processes != 1+threads/2 || len(s.stacks[0].processes) != 1+threads/2 {
		t.Errorf("%d filters, %d stacks, %d processes", len(s.filters), len(s.stacks), s.filters[0].processes)
	}
}

func TestSurveyFindings(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/script/affected.txtar")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "old.txt" })
	old, err := cbpf.Assemble(archive.Files[i].Data, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newTestSurvey(t)
	compiled, err := s.findings(old)
	if err != nil || len(compiled) == 0 || compiled[0].ID != "advisory" || !strings.HasPrefix(compiled[0].Reason, "affected: weaker for x32") {
		t.Errorf("%v, %v", compiled, err)
	}
	audit := arch.Native().Audit()
	tests := []struct{ name, text, want string }{
		{"always", "ld nr\njeq #1 jt a jf b\na: ret ALLOW\nb: ret 0x7fff0005", "allows-everything"},
		{"logged", "ret LOG", ""},
		{"denied", denyAll, ""},
		{"one call", "ld nr\njeq #1 jt a jf b\na: ret ALLOW\nb: ret ERRNO(1)", ""},
		{"arguments first", fmt.Sprintf("ld arch\njeq #%#x jt n jf b\nn: ld arg0.lo\nld nr\njeq #1 jt a jf b\na: ret ALLOW\nb: ret ERRNO(1)", audit), "no-bitmap"},
	}
	for _, tt := range tests {
		found, err := s.findings(live(t, tt.text)[0].Program)
		if err != nil {
			t.Fatal(err)
		}
		found = slices.DeleteFunc(found, func(f hostFinding) bool { return f.ID == "advisory" }) // of x32, which these do not tell apart
		got := ""
		for _, f := range found {
			got += f.ID
		}
		if got != tt.want {
			t.Errorf("%s: %v", tt.name, found)
		}
	}
}

// What a stack allows is what all of its filters allow.
func TestSurveyOfStacks(t *testing.T) {
	s := newTestSurvey(t)
	call := func(nr, other int) string {
		return fmt.Sprintf("ld nr\njeq #%d jt a jf b\na: ret ERRNO(1)\nb: jeq #%d jt c jf d\nc: ret ALLOW\nd: ret ERRNO(1)", other, nr)
	}
	one, two := uint32(0), uint32(0)
	for nr, c := range syscalltables.All(arch.Native()) {
		switch c.Name() {
		case "init_module":
			one = nr
		case "mount":
			two = nr
		}
	}
	a, b := call(int(one), int(two)), call(int(two), int(one))
	take(t, s,
		&host.Thread{PID: 1, TID: 1, Filters: live(t, a)},
		&host.Thread{PID: 2, TID: 2, Filters: live(t, a, b)},
		&host.Thread{PID: 3, TID: 3, Filters: live(t, b, a)},
		&host.Thread{PID: 4, TID: 4, Filters: live(t, allowAll)},
	)
	s.settle()
	if len(s.filters) != 3 || len(s.stacks) != 4 {
		t.Fatalf("%d filters, %d stacks", len(s.filters), len(s.stacks))
	}
	titles := func(at int) (list []string) {
		for _, e := range s.stacks[at].excess {
			if e.ABI == arch.Native() {
				for _, g := range e.groups {
					list = append(list, g.title)
				}
			}
		}
		return list
	}
	if got := titles(0); !slices.Equal(got, []string{"load and unload kernel modules"}) {
		t.Errorf("one: %q", got)
	}
	for at := 1; at <= 2; at++ {
		if got := s.stacks[at].excess; len(got) != 0 {
			t.Errorf("stack %d: %+v", at, got)
		}
	}
	all := titles(3)
	for _, want := range []string{"load and unload kernel modules", "mount file systems or change the root of the mount tree", otherCalls, otherArguments, unnamedCalls} {
		if !slices.Contains(all, want) {
			t.Errorf("everything: no %q in %q", want, all)
		}
	}
}

// Each thread is somewhere in the answer.
func TestSurveyOfThreads(t *testing.T) {
	s := newTestSurvey(t)
	take(t, s,
		&host.Thread{PID: 10, TID: 11, Name: "late", Filters: live(t, denyAll)}, // the first thread has ended
		&host.Thread{PID: 20, TID: 21, Name: "mixed", Filters: live(t, allowAll, denyAll), Place: host.Place{Unit: "mixed.service"}},
		&host.Thread{PID: 20, TID: 22, Name: "mixed"},
		&host.Thread{PID: 20, TID: 20, Name: "mixed", Filters: live(t, denyAll)},
		&host.Thread{PID: 30, TID: 30, Name: "free"},
		&host.Thread{PID: 40, TID: 40, Name: "st\x1b[31mrict", Mode: host.Strict},
		&host.Thread{PID: 50, TID: 50, Name: "hidden", Mode: host.Filtered, Err: fmt.Errorf("loader: not permitted to trace thread 50 (x)")},
		&host.Thread{PID: 60, TID: 60, Name: "hidden", Mode: host.Filtered, Err: fmt.Errorf("loader: not permitted to trace thread 60 (x)")},
		&host.Thread{PID: 50, TID: 51, Name: "hidden", Mode: host.Filtered, Err: fmt.Errorf("loader: not permitted to trace thread 51 (x)")},
	)
	s.count = host.Count{Processes: 6, Kernel: 1}
	s.settle()
	const want = `5 of 6 processes confined, by 2 filters in 2 stacks; 1 thread of the kernel

stack 1: filter 1
  late: 10
  mixed in mixed.service: 20
  allows nothing that Docker's default denies

stack 2: filters 2, 1
  allows nothing that Docker's default denies

filters
`
	text := string(s.text(false))
	if !strings.HasPrefix(text, want) {
		t.Errorf("got\n%s", text)
	}
	const end = `
threads that differ from the first of their process
  mixed in mixed.service: 20, stack 1
    no filters: 22
    stack 2: 21

strict mode
  "st\x1b[31mrict": 40

not read: 3 threads of 2 processes: not permitted to trace it (x)
  hidden: 50, 60
`
	if !strings.HasSuffix(text, end) {
		t.Errorf("got\n%s", text)
	}
	data, err := json.Marshal(s.document().Confined)
	if err != nil {
		t.Fatal(err)
	}
	const doc = `[{"pid":10,"name":"late","threads":[{"state":"filtered","stack":1,"tids":[11]}]},` +
		`{"pid":20,"name":"mixed","unit":"mixed.service","threads":[{"state":"filtered","stack":1,"tids":[20]},{"state":"free","tids":[22]},{"state":"filtered","stack":2,"tids":[21]}]},` +
		`{"pid":40,"name":"st\u001b[31mrict","threads":[{"state":"strict","tids":[40]}]},` +
		`{"pid":50,"name":"hidden","threads":[{"state":"unread","reasons":["not permitted to trace it (x)"],"tids":[50,51]}]},` +
		`{"pid":60,"name":"hidden","threads":[{"state":"unread","reasons":["not permitted to trace it (x)"],"tids":[60]}]}]`
	if string(data) != doc {
		t.Errorf("got  %s\nwant %s", data, doc)
	}
}

// A filter that is too much for the limits is not passed over.
func TestSurveyOfAnUndecidedStack(t *testing.T) {
	s := newTestSurvey(t)
	s.limits = proof.Limits{Steps: 1}
	take(t, s, &host.Thread{PID: 1, TID: 1, Name: "x", Filters: live(t, "ld nr\njeq #1 jt a jf b\na: ret ALLOW\nb: ret ERRNO(1)")})
	s.settle()
	if text := string(s.text(false)); !strings.Contains(text, "  unknown whether it allows more than Docker's default: ") {
		t.Error(text)
	}
	if s.document().Stacks[0].Undecided == "" {
		t.Error("the document says nothing")
	}
}
