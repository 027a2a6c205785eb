package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/emit"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/proof"
)

const dumpLong = `Dump writes the filters of a running process: as text like disasm, with --explain
like explain, or with -f in another format. The kernel runs all filters of a process
on each call, and the strictest answer wins; intersect -f asm shows what they do
together. Dump lists the oldest filter first. Formats other than asm hold one filter; if
there are several, choose one with -i.

PID is the ID of a process or of one of its threads, which may have other filters.
Dump stops the process for less than a millisecond. It needs root outside of
containers, and a kernel with CONFIG_CHECKPOINT_RESTORE. The exit status is 1 if the
thread has no filters; dump then names those of its process that have.

Behind --, dump takes a program instead. It runs the program and follows all threads
and processes that this starts, until they have ended; then it writes each filter
that one of them installed, in the order of the installations and equal ones once.
The exit status is the program's. This needs Linux 5.3 and no privileges; but
set-user-ID programs gain none, unless you are root, and calls take several times as
long. Once the program has ended, an interrupt ends dump, and what is left goes on.

With --all, dump lists every confined process of the host, containers included: which
filters it has, what these allow together that Docker's default profile denies, and
what is wrong with them:

  advisory           a past defect of seccompile can have made the filter wrong: see
                     affected
  allows-everything  the filter allows every call
  no-bitmap          the kernel runs the filter for calls that it always allows,
                     because it calculates or looks at arguments before it allows

Processes with the same filters are listed together, each with its service or
container as far as the control group says. The exit status is 2 if the filters of
some threads could not be read; dump lists these with the reason.`

// The dumpFlags are the flags of dump.
type dumpFlags struct {
	outputFormat
	output
	patience
	index   int // of the filter to write, from 1, or 0 for all
	explain bool
	all     bool
	json    bool
}

func (a *app) dumpCommand() *cobra.Command {
	var d dumpFlags
	cmd := &cobra.Command{
		Use:        "dump [flags] PID | --all | -- COMMAND [ARG...]",
		Short:      "show the filters of processes",
		SuggestFor: []string{"inspect"},
		Long:       dumpLong,
		Example: `  seccompile dump 4711
  seccompile dump --explain 4711
  seccompile dump -f raw -i 1 -o oldest.bpf 4711
  seccompile dump -- bwrap --seccomp 3 --bind / / true 3<filter.bpf
  seccompile dump --all --json | jq '.stacks[].beyondDocker[].calls'`,
		ValidArgsFunction: completeDump,
		RunE: func(cmd *cobra.Command, args []string) error {
			limits, err := d.limits()
			if err := cmp.Or(err, d.check(a, cmd, args)); err != nil {
				return err
			}
			switch {
			case d.all:
				return a.dumpAll(cmd.Context(), &d, limits)
			case cmd.ArgsLenAtDash() == 0 && len(args) > 0:
				cmd.Annotations = map[string]string{ownStatus: "yes"}
				return a.dumpProgram(&d, args, limits)
			}
			return a.dumpProcess(cmd.Context(), &d, args, limits)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&d.all, "all", false, "list all confined processes of this host")
	f.BoolVar(&d.explain, "explain", false, "list the action that each call gets instead")
	f.IntVarP(&d.index, "index", "i", 0, "write only filter `N`; 1 is the oldest")
	d.output.add(cmd)
	d.outputFormat.add(cmd)
	d.format = emit.Asm
	f.Lookup("format").DefValue = emit.Asm
	f.BoolVar(&d.json, "json", false, "with --all: write machine-readable JSON")
	completeFlag(cmd, "index", oneOf())
	d.patience.add(cmd)
	return cmd
}

// completeDump completes the program behind --. Whether the first word stands behind one,
// cobra does not say.
func completeDump(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if cmd.ArgsLenAtDash() > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeProgram(cmd, args, word)
}

// check finds mistakes before any process is looked at or started.
func (d *dumpFlags) check(a *app, cmd *cobra.Command, args []string) error {
	dash := cmd.ArgsLenAtDash()
	program := dash == 0 && len(args) > 0
	f := cmd.Flags()
	switch {
	case d.all && len(args) > 0:
		return failure.Usagef("dump: --all is for all processes and does not take one")
	case d.all:
		for _, other := range []string{"explain", "index", "format", "package"} {
			if f.Changed(other) {
				return failure.Usagef("--all and --%s exclude each other", other)
			}
		}
		return nil
	case d.json:
		return failure.Usagef("dump: --json is for --all").Hintf("-f json writes a filter as JSON")
	case dash > 0:
		return failure.Usagef("dump: expected a process or a program, got both")
	case d.explain && f.Changed("format"):
		return failure.Usagef("--explain and -f exclude each other")
	case f.Changed("index") && d.index < 1:
		return failure.Usagef("-i: filters are numbered from 1, the oldest one")
	case program && d.format == emit.Raw && !d.output.explicit():
		return failure.Usagef("dump: the program writes to standard output, too").Hintf("-o FILE saves the filter")
	case !program:
		if err := one("process")(cmd, args); err != nil {
			return err
		}
	}
	return a.checkRaw(&d.outputFormat, &d.output)
}

// A dump is filters to write.
type dump struct {
	whose   string // "process 4711"
	did     string // "has"
	filters []loader.LiveFilter
	about   []string // each of them, nil for nothing to say
}

// dumpProcess writes the filters of a process.
func (a *app) dumpProcess(ctx context.Context, d *dumpFlags, args []string, limits proof.Limits) error {
	if len(args) == 0 {
		return failure.Usagef("dump: no process given").Hintf("ps lists processes with their IDs, seccompile dump --all those with filters")
	}
	tid, err := strconv.Atoi(args[0])
	if err != nil || tid <= 0 {
		return failure.Usagef("dump: %q is not a process ID", args[0]).Hintf("to run a program and see its filters: seccompile dump -- PROGRAM")
	}
	filters, err := loader.Dump(ctx, tid)
	if errors.Is(err, loader.ErrNoFilters) {
		return noFilters(tid)
	}
	if err != nil {
		return err
	}
	return a.dump(d, &dump{whose: fmt.Sprintf("process %d", tid), did: "has", filters: filters}, limits)
}

// noFilters says that a thread has no filters, and which others of its process have some.
func noFilters(tid int) error {
	tasks, _ := os.ReadDir(procFile(tid, "task"))
	var confined []string
	for _, task := range tasks {
		id, err := strconv.Atoi(task.Name())
		if err == nil && id != tid && strings.Contains(readProc(id, "status"), "\nSeccomp:\t2\n") { // proc_pid_status(5)
			confined = append(confined, task.Name())
		}
	}
	if confined == nil {
		return failure.Nof("process %d has no filters", tid)
	}
	const most = 8
	names := strings.Join(confined[:min(most, len(confined))], ", ")
	if more := len(confined) - most; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return failure.Nof("thread %d has no filters, but others of its process have: %s", tid, names).
		Hintf("seccompile dump %s shows those of a thread", confined[0])
}

// dumpAll lists the confined processes of the host.
func (a *app) dumpAll(ctx context.Context, d *dumpFlags, limits proof.Limits) error {
	s, err := a.survey(ctx, limits)
	if err != nil {
		return err
	}
	switch {
	case d.json:
		err = a.putJSON(&d.output, s.document())
	case d.output.explicit():
		err = a.put(&d.output, new(wordWriter).plain(s.text(false)))
	default:
		_, err = a.out.Write(s.text(a.paint()))
	}
	if err == nil && len(s.unread) > 0 {
		return &failure.Error{Status: failure.Usage}
	}
	return err
}

// dump writes filters, or the one that was asked for.
func (a *app) dump(d *dumpFlags, list *dump, limits proof.Limits) error {
	filters := list.filters
	if d.index > len(filters) {
		return failure.Usagef("-i %d: %s %s %s", d.index, list.whose, list.did, answer.Plural(len(filters), "filter"))
	}
	if !d.explain && d.format != emit.Asm {
		if d.index == 0 && len(filters) > 1 {
			return failure.Usagef("%s %s %d filters, but -f %s holds only one", list.whose, list.did, len(filters), d.format).
				Hintf("-i 1 is the oldest, -i %d the newest", len(filters))
		}
		index := max(d.index, 1)
		d.Source = fmt.Sprintf("filter %d of %s", index, list.whose)
		return a.emit(&d.outputFormat, &d.output, filters[index-1].Program)
	}
	paint := painter(false)
	if !d.output.explicit() {
		paint = a.paint()
	}
	var b bytes.Buffer
	for i, f := range filters {
		if d.index != 0 && d.index != i+1 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "; filter %d of %d: %s", i+1, len(filters), answer.Plural(f.Program.Len(), "instruction"))
		if f.Flags != 0 {
			fmt.Fprintf(&b, ", %v", f.Flags)
		}
		b.WriteByte('\n')
		if list.about != nil {
			fmt.Fprintf(&b, "; %s\n", list.about[i])
		}
		if !d.explain {
			b.WriteString(paint.assembly(f.Program, f.Program.Disassemble(symbols.Names())))
			continue
		}
		spaces, err := proof.Explain(proof.Program(f.Program), limits)
		if err != nil {
			return answer.Unlimited(err)
		}
		b.Write(explainedText(paint, answer.ExplainSpaces("", spaces, a.numeric), false))
	}
	return a.put(&d.output, b.Bytes())
}
