package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/emit"
	"github.com/seccompile/seccompile/internal/failure"
)

// maxPIDs is how many processes or threads of one name are listed in the text.
const maxPIDs = 8

// text renders a survey for people.
func (s *survey) text(p painter) []byte {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	fmt.Fprintf(w, "%d of %s confined", len(s.processes), processCount(s.count.Processes))
	if len(s.filters) > 0 { // else none could be read
		fmt.Fprintf(w, ", by %s in %s", answer.Plural(len(s.filters), "filter"), answer.Plural(len(s.stacks), "stack"))
	}
	fmt.Fprintf(w, "; %s of the kernel\n", answer.Plural(s.count.Kernel, "thread"))
	for _, at := range s.popular() {
		s.printStack(w, p, at)
	}
	if len(s.filters) > 0 {
		fmt.Fprintln(w, "\n"+p.text(bold, "filters"))
	}
	for i, f := range s.filters {
		about := answer.Plural(f.instructions, "instruction") + ", " + processCount(f.processes)
		if f.flags != 0 {
			about += fmt.Sprintf(", %v", f.flags)
		}
		fmt.Fprintf(w, "  %d: %.19s, %s\n", i+1, f.digest, about)
		for _, found := range f.findings {
			hang(w, 4, plain(strings.Fields(found.ID+": "+found.Reason)...))
		}
	}
	s.printOthers(w, p)
	w.Flush() // a buffer takes everything
	return b.Bytes()
}

func processCount(n int) string {
	if n == 1 {
		return "1 process"
	}
	return fmt.Sprintf("%d processes", n)
}

// hang fills lines of which all but the first are indented further.
func hang(w *bufio.Writer, indent int, words []cell) {
	var b bytes.Buffer
	lines := bufio.NewWriter(&b)
	fill(lines, indent+2, words)
	lines.Flush() // a buffer takes everything
	w.Write(b.Bytes()[2:])
}

// popular returns the stacks, those of most processes first.
func (s *survey) popular() []int {
	order := make([]int, len(s.stacks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(len(s.stacks[j].processes), len(s.stacks[i].processes))
	})
	return order
}

// printStack prints who has a stack, and what that allows.
func (s *survey) printStack(w *bufio.Writer, p painter, at int) {
	k := s.stacks[at]
	var numbers []string
	for _, f := range k.filters {
		numbers = append(numbers, strconv.Itoa(f+1))
	}
	what := "filter "
	if len(numbers) > 1 {
		what = "filters "
	}
	fmt.Fprintf(w, "\n%s: %s%s\n", p.text(bold, fmt.Sprintf("stack %d", at+1)), what, strings.Join(numbers, ", "))
	printProcesses(w, k.processes)
	switch {
	case k.undecided != "":
		fmt.Fprintf(w, "  unknown whether it allows more than Docker's default: %s (raise the limits with --patience)\n", k.undecided)
		return
	case len(k.excess) == 0:
		fmt.Fprintln(w, "  allows nothing that Docker's default denies")
		return
	}
	fmt.Fprintln(w, "  allows beyond Docker's default")
	for _, e := range k.excess {
		fmt.Fprintf(w, "    %s\n", p.text(bold, e.Title))
		for _, g := range e.groups {
			hang(w, 6, append(plain(strings.Fields(g.title+":")...), plain(g.Words(false)...)...))
		}
	}
}

// printProcesses prints a line for each name and place.
func printProcesses(w *bufio.Writer, list []*heldProcess) {
	pids := map[string][]int{}
	for _, p := range list {
		pids[p.where()] = append(pids[p.where()], p.pid)
	}
	for _, name := range slices.Sorted(maps.Keys(pids)) {
		fmt.Fprintf(w, "  %s: %s\n", name, someIDs(pids[name]))
	}
}

// where names a process and its place.
func (p *heldProcess) where() string {
	if place := p.place.String(); place != "" {
		return failure.Shown(p.name) + " in " + failure.Shown(place)
	}
	return failure.Shown(p.name)
}

func someIDs(ids []int) string {
	var words []string
	for _, id := range ids[:min(maxPIDs, len(ids))] {
		words = append(words, strconv.Itoa(id))
	}
	s := strings.Join(words, ", ")
	if n := len(ids) - maxPIDs; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}

// printOthers prints what is not a process with the filters of its first thread.
func (s *survey) printOthers(w *bufio.Writer, p painter) {
	var differ, strict []*heldProcess
	for _, h := range s.processes {
		if len(h.threads) > 1 {
			differ = append(differ, h)
		}
		if h.main() == strictStack {
			strict = append(strict, h)
		}
	}
	if len(differ) > 0 {
		fmt.Fprintln(w, "\n"+p.text(bold, "threads that differ from the first of their process"))
	}
	for _, h := range differ {
		fmt.Fprintf(w, "  %s: %d, %s\n", h.where(), h.pid, stackName(h.main()))
		for _, at := range slices.Sorted(maps.Keys(h.threads)) {
			if at != h.main() {
				fmt.Fprintf(w, "    %s: %s\n", stackName(at), someIDs(h.threads[at]))
			}
		}
	}
	if len(strict) > 0 {
		fmt.Fprintln(w, "\n"+p.text(bold, "strict mode"))
		printProcesses(w, strict)
	}
	for _, u := range s.unread {
		fmt.Fprintf(w, "\n%s: %s of %s: %s\n", p.text(bold, "not read"), answer.Plural(u.threads, "thread"), processCount(len(u.processes)), u.reason)
		printProcesses(w, u.processes)
	}
}

// stackName names what a thread has.
func stackName(at int) string {
	switch at {
	case noStack:
		return "no filters"
	case strictStack:
		return "strict mode"
	case unreadStack:
		return "not read"
	}
	return fmt.Sprintf("stack %d", at+1)
}

// A surveyJSON is the document of dump --all --json. Filters and stacks are numbered from
// 1, in the order of their lists.
type surveyJSON struct {
	Version       int               `json:"version"`
	Processes     int               `json:"processes"`     // all but the kernel's threads
	KernelThreads int               `json:"kernelThreads"` // they have no filters
	Filters       []heldFilterJSON  `json:"filters"`
	Stacks        []heldStackJSON   `json:"stacks"`
	Confined      []heldProcessJSON `json:"confined"`
}

type heldFilterJSON struct {
	Digest       string        `json:"digest"` // of the instructions, as ProgramDigest's
	Instructions int           `json:"instructions"`
	Flags        []string      `json:"flags"`
	Processes    int           `json:"processes"`
	Findings     []hostFinding `json:"findings"`
}

type heldStackJSON struct {
	Filters   []int        `json:"filters"` // the oldest first
	Processes int          `json:"processes"`
	Beyond    []excessJSON `json:"beyondDocker"`        // what Docker's default does not allow
	Undecided string       `json:"undecided,omitempty"` // why beyondDocker is not known
}

type excessJSON struct {
	ABI     string            `json:"abi"`
	Calls   []string          `json:"calls"`
	Numbers []string          `json:"numbers"` // of calls without a name
	Groups  []excessGroupJSON `json:"groups"`  // of the calls
}

type excessGroupJSON struct {
	Title string   `json:"title"`
	Calls []string `json:"calls"`
}

type heldProcessJSON struct {
	PID       int              `json:"pid"`
	Name      string           `json:"name"`
	Runtime   string           `json:"runtime,omitempty"` // of the container, by the control group
	Container string           `json:"container,omitempty"`
	Pod       string           `json:"pod,omitempty"`
	Unit      string           `json:"unit,omitempty"`
	Cgroup    string           `json:"cgroup,omitempty"`
	Threads   []heldThreadJSON `json:"threads"` // those of the first thread first
}

type heldThreadJSON struct {
	State  string   `json:"state"`           // "filtered", "strict", "free" or "unread"
	Stack  int      `json:"stack,omitempty"` // if filtered
	Reason []string `json:"reasons,omitempty"`
	TIDs   []int    `json:"tids"`
}

func (s *survey) document() *surveyJSON {
	doc := &surveyJSON{
		Version: answer.Version, Processes: s.count.Processes, KernelThreads: s.count.Kernel,
		Filters: []heldFilterJSON{}, Stacks: []heldStackJSON{}, Confined: []heldProcessJSON{},
	}
	for _, f := range s.filters {
		j := heldFilterJSON{f.digest, f.instructions, []string{}, f.processes, append([]hostFinding{}, f.findings...)}
		if f.flags != 0 {
			j.Flags = emit.FlagNames([]cbpf.Flag{f.flags})
		}
		doc.Filters = append(doc.Filters, j)
	}
	for _, k := range s.stacks {
		j := heldStackJSON{Processes: len(k.processes), Beyond: []excessJSON{}, Undecided: k.undecided}
		for _, f := range k.filters {
			j.Filters = append(j.Filters, f+1)
		}
		for _, e := range k.excess {
			named, numbers := e.calls()
			x := excessJSON{ABI: e.Title, Calls: append([]string{}, named...), Numbers: append([]string{}, numbers...), Groups: []excessGroupJSON{}}
			for _, g := range e.groups {
				if g.Named != nil {
					x.Groups = append(x.Groups, excessGroupJSON{g.title, answer.Names(g.Named)})
				}
			}
			j.Beyond = append(j.Beyond, x)
		}
		doc.Stacks = append(doc.Stacks, j)
	}
	for _, h := range s.processes {
		doc.Confined = append(doc.Confined, s.processDocument(h))
	}
	return doc
}

func (s *survey) processDocument(h *heldProcess) heldProcessJSON {
	j := heldProcessJSON{
		PID: h.pid, Name: h.name, Runtime: h.place.Runtime, Container: h.place.ID, Pod: h.place.Pod, Unit: h.place.Unit, Cgroup: h.place.Path,
	}
	order := slices.Sorted(maps.Keys(h.threads))
	slices.SortStableFunc(order, func(a, b int) int {
		switch h.main() {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	for _, at := range order {
		t := heldThreadJSON{TIDs: h.threads[at]}
		switch at {
		case noStack:
			t.State = "free"
		case strictStack:
			t.State = "strict"
		case unreadStack:
			t.State = "unread"
			for _, u := range s.unread {
				if slices.Contains(u.processes, h) {
					t.Reason = append(t.Reason, u.reason)
				}
			}
		default:
			t.State, t.Stack = "filtered", at+1
		}
		j.Threads = append(j.Threads, t)
	}
	return j
}
