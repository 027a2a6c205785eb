package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/grade"
	"github.com/seccompile/seccompile/internal/host"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/proof"
)

// A survey is what dump --all finds. It looks at each filter and each stack of filters
// once, however many threads have it, and then keeps only what it found.
type survey struct {
	limits proof.Limits
	docker proof.Subject
	abis   []arch.ABI // that this kernel's programs can call through

	count     host.Count
	filters   []*heldFilter
	stacks    []*heldStack
	processes []*heldProcess
	index     map[string]int // into filters and stacks, by digest
	pids      map[int]int    // into processes
	unread    []unread       // by reason
}

// A heldFilter is a filter that some threads have.
type heldFilter struct {
	digest       string
	instructions int
	flags        cbpf.Flag
	findings     []hostFinding
	processes    int
}

// A hostFinding is something that the owner of a filter should know.
type hostFinding struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// A heldStack is filters that a thread has together.
type heldStack struct {
	filters   []int // into those of the survey, the oldest first
	excess    []excess
	undecided string         // why excess is not known
	processes []*heldProcess // whose first threads have them
}

// A heldProcess is a process with a confined thread.
type heldProcess struct {
	pid, first int // first is the thread that stands for all
	name       string
	place      host.Place
	threads    map[int][]int // by stack, or one of the two below
}

// What stands for a stack where there is none.
const (
	noStack     = -1 - iota // no filters
	strictStack             // strict mode
	unreadStack
)

// An unread is threads whose filters could not be read.
type unread struct {
	reason    string
	threads   int
	processes []*heldProcess
}

// survey looks at all processes of the host.
func (a *app) survey(ctx context.Context, limits proof.Limits) (*survey, error) {
	s, err := a.newSurvey(limits)
	if err != nil {
		return nil, err
	}
	var failed error
	s.count, err = host.Walk(ctx, func(t *host.Thread) {
		if err := s.add(t); failed == nil {
			failed = err
		}
	})
	s.settle()
	return s, errors.Join(err, failed)
}

func (a *app) newSurvey(limits proof.Limits) (*survey, error) {
	t := intake.Target{Host: thisHost()}
	docker, err := a.side(&t, intake.DockerDefault)
	if err != nil {
		return nil, err
	}
	return &survey{
		limits: limits, docker: docker.Subject, abis: arch.Native().Family(), index: map[string]int{}, pids: map[int]int{},
	}, nil
}

// add takes in a thread.
func (s *survey) add(t *host.Thread) error {
	at := noStack
	var err error
	switch {
	case t.Err != nil:
		at = unreadStack
	case t.Mode == host.Strict:
		at = strictStack
	case t.Mode == host.Filtered:
		at, err = s.stack(t.Filters)
	}
	i, ok := s.pids[t.PID]
	if !ok {
		i = len(s.processes)
		s.pids[t.PID] = i
		s.processes = append(s.processes, &heldProcess{pid: t.PID, name: t.Name, threads: map[int][]int{}})
	}
	p := s.processes[i]
	if t.Place != (host.Place{}) {
		p.place = t.Place
	}
	p.threads[at] = append(p.threads[at], t.TID)
	if t.Err != nil {
		s.missed(p, t)
	}
	return err
}

// missed notes why the filters of a thread are not known.
func (s *survey) missed(p *heldProcess, t *host.Thread) {
	reason := strings.ReplaceAll(failure.Messages(t.Err)[0], "thread "+strconv.Itoa(t.TID), "it")
	i := slices.IndexFunc(s.unread, func(u unread) bool { return u.reason == reason })
	if i < 0 {
		i = len(s.unread)
		s.unread = append(s.unread, unread{reason: reason})
	}
	u := &s.unread[i]
	u.threads++
	if !slices.Contains(u.processes, p) {
		u.processes = append(u.processes, p)
	}
}

// settle drops the processes that no filter confines, and finds the thread that stands for
// each of the others: the first one, if it is still there.
func (s *survey) settle() {
	s.processes = slices.DeleteFunc(s.processes, func(p *heldProcess) bool {
		return len(p.threads) == 1 && p.threads[noStack] != nil
	})
	for _, p := range s.processes {
		for _, tids := range p.threads {
			slices.Sort(tids)
			switch {
			case slices.Contains(tids, p.pid):
				p.first = p.pid
			case p.first != p.pid && (p.first == 0 || tids[0] < p.first):
				p.first = tids[0]
			}
		}
		if at := p.main(); at >= 0 {
			s.stacks[at].processes = append(s.stacks[at].processes, p)
		}
		held := map[int]bool{}
		for at := range p.threads {
			if at < 0 {
				continue
			}
			for _, f := range s.stacks[at].filters {
				held[f] = true
			}
		}
		for f := range held {
			s.filters[f].processes++
		}
	}
}

// main returns the stack of the thread that stands for the process.
func (p *heldProcess) main() int {
	for at, tids := range p.threads {
		if slices.Contains(tids, p.first) {
			return at
		}
	}
	return noStack
}

// stack returns the index of filters that a thread has together.
func (s *survey) stack(filters []loader.LiveFilter) (int, error) {
	var list []int
	for i := range filters {
		at, err := s.filter(&filters[i])
		if err != nil {
			return noStack, err
		}
		list = append(list, at)
	}
	key := fmt.Sprint(list)
	if at, ok := s.index[key]; ok {
		return at, nil
	}
	k := &heldStack{filters: list}
	var subjects []proof.Subject
	for i := range filters {
		subjects = append(subjects, proof.Program(filters[i].Program))
	}
	var limit *proof.LimitError
	changes, err := proof.Diff(s.docker, proof.Stack(subjects...), s.limits)
	switch {
	case errors.As(err, &limit):
		k.undecided = limit.Reason
	case err != nil:
		return noStack, err
	default:
		k.excess = s.beyond(changes)
	}
	s.index[key] = len(s.stacks)
	s.stacks = append(s.stacks, k)
	return len(s.stacks) - 1, nil
}

// filter returns the index of a filter.
func (s *survey) filter(f *loader.LiveFilter) (int, error) {
	raw, err := f.Program.AppendBinary(nil)
	if err != nil {
		return 0, err
	}
	digest := artifact.Digest(raw)
	key := fmt.Sprint(digest, f.Flags)
	if at, ok := s.index[key]; ok {
		return at, nil
	}
	findings, err := s.findings(f.Program)
	if err != nil {
		return 0, err
	}
	s.index[key] = len(s.filters)
	s.filters = append(s.filters, &heldFilter{digest: digest, instructions: f.Program.Len(), flags: f.Flags, findings: findings})
	return len(s.filters) - 1, nil
}

// findings says what is wrong with a filter.
func (s *survey) findings(p *cbpf.Program) ([]hostFinding, error) {
	var list []hostFinding
	if text := judge(p); text != "" {
		list = append(list, hostFinding{"advisory", text})
	}
	open, err := cbpf.New([]bpf.RawInstruction{{Op: 0x06, K: uint32(cbpf.Allow)}}, p.Order()) // RET K
	if err != nil {
		return nil, err
	}
	same, err := proof.Equal(proof.Stack(proof.Program(open)), proof.Stack(proof.Program(p)), s.limits) // data of ALLOW does not count
	switch {
	case err != nil:
		return nil, err
	case same.Verdict == proof.Same:
		return append(list, hostFinding{"allows-everything", "it allows every call"}), nil
	}
	for _, abi := range stats.Measure(p, stats.Options{ABIs: s.abis}).ABIs {
		cached := abi.Classes[stats.Cached].Calls
		switch {
		case !abi.Bitmap || cached == abi.Allowed:
		case cached == 0:
			list = append(list, hostFinding{"no-bitmap", fmt.Sprintf(
				"%v: the kernel runs it for each of the %s that it always allows: its bitmap has none of them", abi.ABI, answer.Plural(abi.Allowed, "call"))})
		default:
			list = append(list, hostFinding{"no-bitmap", fmt.Sprintf(
				"%v: the kernel runs it for %d of the %s that it always allows: its bitmap does not have them", abi.ABI, abi.Allowed-cached, answer.Plural(abi.Allowed, "call"))})
		}
	}
	return list, nil
}

// An excess is the calls of an ABI that filters let through and Docker's default does not.
type excess struct {
	answer.Scope
	groups []excessGroup
}

// calls returns all calls by name, and the numbers of those without.
func (e *excess) calls() (named []string, numbers []string) {
	for _, g := range e.groups {
		for _, x := range g.Named {
			named = append(named, x.Name)
		}
		for _, x := range g.Unnamed {
			numbers = append(numbers, x.String())
		}
	}
	slices.Sort(named)
	return slices.Compact(named), numbers
}

// An excessGroup is calls that give a program the same.
type excessGroup struct {
	title string
	answer.CallList
}

// Titles of groups that no privilege names, in their order behind the others.
const (
	otherCalls     = "other calls"
	supervised     = "if a tracer or listener lets them"
	otherArguments = "with arguments that Docker's default denies"
	unnamedCalls   = "calls without a name"
)

// beyond picks the calls that become possible.
func (s *survey) beyond(changes []proof.Change) []excess {
	var list []excess
	for _, c := range changes {
		if c.From.Permits(cbpf.WithSupervisor) || !c.To.Permits(cbpf.WithSupervisor) {
			continue
		}
		for _, scope := range (&answer.Choice{ABIs: s.abis, Only: true}).Scopes(c.Audits) {
			for _, in := range scope.Clip(c.First, c.Last) {
				i := slices.IndexFunc(list, func(e excess) bool { return e.ABI == scope.ABI })
				if i < 0 {
					i = len(list)
					list = append(list, excess{Scope: scope})
				}
				for _, x := range scope.Parts(in) {
					list[i].add(x, &c)
				}
			}
		}
	}
	answer.SortScopes(list, func(e *excess) *answer.Scope { return &e.Scope })
	for i := range list {
		list[i].sort()
	}
	return list
}

// add puts a call into its group.
func (e *excess) add(x answer.Part, c *proof.Change) {
	always := len(c.When) == 1 && len(c.When[0]) == 0
	powers := grade.Powers()
	title := powers[grade.Gravest(x.Name)].Title
	switch {
	case x.Name == "":
		title = unnamedCalls
	case !always:
		title = otherArguments
	case !c.To.Permits(cbpf.Alone):
		title = supervised
	case title == powers[len(powers)-1].Title:
		title = otherCalls
	}
	i := slices.IndexFunc(e.groups, func(g excessGroup) bool { return g.title == title })
	if i < 0 {
		i = len(e.groups)
		e.groups = append(e.groups, excessGroup{title: title})
	}
	g := &e.groups[i]
	if x.Name == "" || !slices.Contains(g.Named, x) { // a call may have several changes
		g.CallList.Add(x)
	}
}

// sort puts the groups in order: the gravest privileges first.
func (e *excess) sort() {
	var order []string
	for _, p := range grade.Powers() {
		order = append(order, p.Title)
	}
	order = append(order, otherCalls, supervised, otherArguments, unnamedCalls)
	slices.SortFunc(e.groups, func(a, b excessGroup) int {
		return slices.Index(order, a.title) - slices.Index(order, b.title)
	})
}
