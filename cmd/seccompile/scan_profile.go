package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/record"
	"github.com/seccompile/seccompile/internal/scan"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// profile returns the text of the profile that allows what a result has, in the form of a
// recording.
func (s *scanFlags) profile(res *scan.Result, seen *observed) ([]byte, error) {
	r, err := record.New(record.Options{Args: s.args, Reading: policy.Options{ABIs: abisOf(res)}})
	if err != nil {
		return nil, err
	}
	for _, c := range res.Calls {
		if c.Name == "clone3" && slices.ContainsFunc(res.Calls, func(c scan.Call) bool { return c.Name == "clone" }) {
			continue // fails with ENOSYS, so that clone is used
		}
		var args [6]record.Known
		for i, v := range c.Args {
			if !v.Any && len(v.Values) > 0 {
				args[i] = v.Values
			}
		}
		r.AddReachable(cbpf.Data{NR: c.NR, Arch: c.ABI.Audit()}, args)
	}
	made, err := r.Profile()
	if err != nil {
		return nil, err
	}
	p := made.Policy
	p.Rules = s.explained(p.Rules, res, seen)
	if !slices.ContainsFunc(res.Calls, func(c scan.Call) bool { return c.Name == "execve" }) {
		p.Rules = append(p.Rules, policy.Rule{Names: []string{"execve"}, Action: cbpf.Allow,
			Comment: "Whoever installs the filter starts the program with this call, which the program itself cannot make."})
	}
	text, err := ocijson.Print(p)
	return []byte(text), err
}

// abisOf returns the ABIs of programs.
func abisOf(res *scan.Result) (abis []arch.ABI) {
	for _, p := range res.Programs {
		if !slices.Contains(abis, p.ABI) {
			abis = append(abis, p.ABI)
		}
	}
	slices.Sort(abis)
	return abis
}

// explained returns the rules with comments that say where they come from, and with another
// action for calls that were never seen.
func (s *scanFlags) explained(rules []policy.Rule, res *scan.Result, seen *observed) (list []policy.Rule) {
	comment := fmt.Sprintf("Static analysis finds that %s can make these calls.", programsText(res))
	if why := res.Incomplete(); len(why) > 0 {
		comment += fmt.Sprintf(" It is incomplete, so calls may be missing: %s.", strings.Join(why, "; "))
	}
	i := slices.Index(unseenNames(), s.unseen)
	for _, rule := range rules {
		if rule.Comment != "" {
			list = append(list, rule)
			continue
		}
		var rare []string
		if i > 0 {
			rare = slices.DeleteFunc(slices.Clone(rule.Names), seen.has)
			rule.Names = slices.DeleteFunc(slices.Clone(rule.Names), func(name string) bool { return !seen.has(name) })
		}
		if len(rule.Names) > 0 {
			said := rule
			said.Comment, comment = comment, ""
			list = append(list, said)
		}
		if len(rare) > 0 {
			rule.Names, rule.Action = rare, unseenActions[i].action
			rule.Comment = "A program can make these calls, but the recording has none of them."
			list = append(list, rule)
		}
	}
	return list
}

// An observed is what a recording has.
type observed struct {
	name  string
	names []string // sorted, without those that every recording allows unseen
	all   []string // sorted, with those
	rules []policy.Rule
}

// readObserved reads the recording to compare with, if there is one.
func (a *app) readObserved(s *scanFlags) (*observed, error) {
	if s.observed == "" {
		return nil, nil
	}
	return a.readRecording("scan: --observed", s.observed)
}

// readRecording reads a recording, which an argument of a command names.
func (a *app) readRecording(what, path string) (*observed, error) {
	in, err := a.read(path)
	if err != nil {
		return nil, err
	}
	if err := extendable(in); err != nil {
		return nil, failure.Usagef("%s: %s is not a profile that record writes", what, in.Name)
	}
	t := intake.Target{Caps: []string{"none"}, Host: thisHost()}
	c, err := t.Meaning(in)
	if err != nil {
		return nil, err
	}
	seen := &observed{name: in.Name}
	for _, rule := range c.Policy.Rules {
		if !rule.Action.Permits(cbpf.Alone) {
			continue
		}
		seen.all = append(seen.all, rule.Names...)
		if rule.Comment == "" {
			seen.names = append(seen.names, rule.Names...)
			seen.rules = append(seen.rules, rule)
		}
	}
	seen.names, seen.all = unique(seen.names), unique(seen.all)
	return seen, nil
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// has reports whether a recording allows a call: one of a group that it allows as a whole,
// such as memory for threads, was perhaps made, and cannot be said to be unseen.
func (o *observed) has(name string) bool {
	_, ok := slices.BinarySearch(o.all, name)
	return ok
}

// A comparison is both bounds together.
type comparison struct {
	Both      []string `json:"seenAndReachable"`
	Reachable []string `json:"reachableOnly"`
	Seen      []string `json:"seenOnly"`
}

// compare compares a result with a recording. A recorder is told of execve before the
// program runs, and restart_syscall is the kernel's own.
func (o *observed) compare(res *scan.Result) comparison {
	var names []string
	for _, call := range res.Calls {
		names = append(names, cmp.Or(call.Name, fmt.Sprint(call.NR)))
	}
	return o.compareNames(unique(names))
}

// compareNames compares sorted names of calls that can be made with a recording.
func (o *observed) compareNames(names []string) comparison {
	c := comparison{[]string{}, []string{}, []string{}}
	for _, name := range names {
		if o.has(name) {
			c.Both = append(c.Both, name)
		} else {
			c.Reachable = append(c.Reachable, name)
		}
	}
	for _, name := range o.names {
		if _, ok := slices.BinarySearch(names, name); !ok && name != "execve" && name != "restart_syscall" {
			c.Seen = append(c.Seen, name)
		}
	}
	return c
}

// verdict returns an error if a call was seen that was not found.
func (o *observed) verdict(res *scan.Result) error {
	if o == nil {
		return nil
	}
	if seen := o.compare(res).Seen; len(seen) > 0 {
		return failure.Nof("scan: %s has calls that scan did not find: %s", o.name, strings.Join(seen, ", ")).
			Hintf("scan the programs that the recorded one started as well; if these are all, it is a defect of scan")
	}
	return nil
}

// printObserved prints both bounds.
func (a *app) printObserved(res *scan.Result, seen *observed) {
	c := seen.compare(res)
	for _, list := range [...]struct {
		what  string
		names []string
	}{{"seen and reachable", c.Both}, {"reachable only", c.Reachable}, {"seen only", c.Seen}} {
		fmt.Fprintf(a.out, "%s: %d\n", list.what, len(list.names))
		for _, name := range list.names {
			fmt.Fprintf(a.out, "  %s\n", name)
		}
	}
}
