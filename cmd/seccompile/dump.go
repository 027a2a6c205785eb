package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/words"
)

const dumpLong = `Dump writes the filters that confine a running process: as text like disasm, with
--explain like explain, or with -f in another format. All of a process's filters
run on each call, and the strictest answer counts: merge tells what they do together.
They are listed from the oldest on. Formats other than asm hold one filter, which
-i chooses if there are several.

PID is the id of a process or of one of its threads, which may have other filters.
The process is stopped for less than a millisecond.

It takes root outside of containers, and a kernel with CONFIG_CHECKPOINT_RESTORE.
The exit status is 1 if there are no filters.`

// A dumping is what the flags of dump say.
type dumping struct {
	emission
	output
	patience
	index   int // of the filter to write, from 1, or 0 for all
	explain bool
}

func (a *app) dumpCommand() *cobra.Command {
	var d dumping
	cmd := &cobra.Command{
		Use:   "dump [flags] PID",
		Short: "show the filters of a running process",
		Long:  dumpLong,
		Example: `  seccompile dump 4711
  seccompile dump --explain 4711
  seccompile dump -f raw -i 1 -o oldest.bpf 4711`,
		Args:              one("process"),
		ValidArgsFunction: oneOf(),
		RunE: func(cmd *cobra.Command, args []string) error {
			limits, err := d.limits()
			if err := cmp.Or(err, d.check(a, cmd)); err != nil {
				return err
			}
			if len(args) == 0 {
				return usagef("dump: no process").hintf("ps lists processes with their ids")
			}
			tid, err := strconv.Atoi(args[0])
			if err != nil || tid <= 0 {
				return usagef("dump: %q is not the id of a process", args[0])
			}
			filters, err := loader.Dump(cmd.Context(), tid)
			if errors.Is(err, loader.ErrNoFilters) {
				return nof("process %d has no filters", tid)
			}
			if err != nil {
				return err
			}
			return a.dump(&d, tid, filters, limits)
		},
	}
	f := cmd.Flags()
	d.emission.add(cmd)
	d.format = formatAsm
	f.Lookup("format").DefValue = formatAsm
	f.IntVarP(&d.index, "index", "i", 0, "only filter `N`, 1 being the oldest")
	f.BoolVar(&d.explain, "explain", false, "say who gets which verdict instead")
	completeFlag(cmd, "index", oneOf())
	d.patience.add(cmd)
	d.output.add(cmd)
	return cmd
}

// check finds mistakes before the process is stopped.
func (d *dumping) check(a *app, cmd *cobra.Command) error {
	if d.explain && cmd.Flags().Changed("format") {
		return usagef("--explain and -f exclude each other")
	}
	if cmd.Flags().Changed("index") && d.index < 1 {
		return usagef("-i: filters are numbered from 1, the oldest")
	}
	return a.checkRaw(&d.emission, &d.output)
}

// dump writes the filters of a process, or the one that was asked for.
func (a *app) dump(d *dumping, tid int, filters []loader.LiveFilter, limits proof.Limits) error {
	if d.index > len(filters) {
		return usagef("-i %d: process %d has %d filters", d.index, tid, len(filters))
	}
	if !d.explain && d.format != formatAsm {
		if d.index == 0 && len(filters) > 1 {
			return usagef("process %d has %d filters, and -f %s holds one", tid, len(filters), d.format).
				hintf("-i 1 is the oldest, -i %d the newest", len(filters))
		}
		index := max(d.index, 1)
		d.source = fmt.Sprintf("filter %d of process %d", index, tid)
		return a.emit(&d.emission, &d.output, filters[index-1].Program)
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
		fmt.Fprintf(&b, "; filter %d of %d: %d instructions", i+1, len(filters), f.Program.Len())
		if f.Flags != 0 {
			fmt.Fprintf(&b, ", %v", f.Flags)
		}
		b.WriteByte('\n')
		if !d.explain {
			b.WriteString(paint.assembly(f.Program, f.Program.Disassemble(words.Names{})))
			continue
		}
		spaces, err := proof.Explain(proof.Program(f.Program), limits)
		if err != nil {
			return unlimited(err)
		}
		b.Write((&explanation{by: "action"}).text(paint, treatments(spaces, &choice{numeric: a.numeric})))
	}
	return a.put(&d.output, b.Bytes())
}
