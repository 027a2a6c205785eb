package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/certificate"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/proof"
)

// An installed is a filter that a program has installed, once or more.
type installed struct {
	digest    string
	filter    loader.LiveFilter
	first     watch.Install
	processes []int // each once
	times     int
}

// dumpProgram runs a program and writes the filters that it installs.
func (a *app) dumpProgram(d *dumpFlags, args []string, limits proof.Limits) error {
	path, err := lookProgram("dump", args[0])
	if err != nil {
		return err
	}
	var list []*installed
	unread := 0
	status, err := watch.Installs(path, args, func(i *watch.Install) {
		who := fmt.Sprintf("dump: %s, process %d", failure.Shown(i.Name), i.PID)
		switch {
		case i.Refused != nil:
			a.note("%s: the kernel refused a filter: %v", who, i.Refused)
		case i.Err != nil:
			unread++
			a.warnf("%s: a filter was installed but cannot be shown: %s", who, failure.Unprefixed(i.Err.Error()))
		default:
			list = gather(list, i)
		}
	}, func() {
		a.note("dump: %s has ended; still following the processes that it left behind", failure.Shown(args[0]))
	})
	if err != nil {
		return notStarted("dump", err)
	}
	result := &failure.Error{Status: status}
	if len(list) == 0 {
		if unread == 0 {
			a.note("dump: %s installed no filters", failure.Shown(args[0]))
		}
		return result
	}
	out := &dump{whose: failure.Shown(args[0]), did: "installed"}
	for _, f := range list {
		out.filters = append(out.filters, f.filter)
		out.about = append(out.about, f.about())
	}
	if err := a.dump(d, out, limits); err != nil {
		return err
	}
	return result
}

// gather adds a filter to a list of different ones.
func gather(list []*installed, i *watch.Install) []*installed {
	digest := certificate.ProgramDigest(i.Filter.Program)
	at := slices.IndexFunc(list, func(f *installed) bool { return f.digest == digest && f.filter.Flags == i.Filter.Flags })
	if at < 0 {
		at = len(list)
		list = append(list, &installed{digest: digest, filter: i.Filter, first: *i})
	}
	f := list[at]
	f.times++
	if !slices.Contains(f.processes, i.PID) {
		f.processes = append(f.processes, i.PID)
	}
	return list
}

// about says who installed a filter.
func (f *installed) about() string {
	s := fmt.Sprintf("installed by %s, process %d", failure.Shown(cmp.Or(f.first.Name, "a thread that has ended")), f.first.PID)
	if n := f.first.Number; n > 1 {
		s += fmt.Sprintf(", on top of %s", answer.Plural(n-1, "filter"))
	}
	if f.times > 1 {
		s += fmt.Sprintf("; in all %d times by %s", f.times, processCount(len(f.processes)))
	}
	return s
}
