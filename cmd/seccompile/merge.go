package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/optimize"
)

const mergeLong = `Merge makes one filter of several profiles and filters, in any mix, that decides
every call as a kernel does that has all of them installed, oldest first: the
strictest action wins (kill-process, kill-thread, trap, errno, notify, trace, log,
allow, in this order), and of equally strict ones the data, such as an error number,
of the newest.

The filter is proved to do just that for every number, argument and ABI, and it is
also run, beside its sources, on the calls next to every constant. The exit status
is 1 if the proof goes beyond the limits that --patience raises.

The flags say how profiles are read, as with compile. An ABI that one of the sources
does not know stays forbidden as that source has it: filters for different ABIs
together kill every call, unless each was compiled with --bad-arch allow. Then a
profile that allows everything, for all the ABIs, forbids the others again.`

// A merging is what the flags of merge say.
type merging struct {
	target
	patience
	emission
	output
}

func (a *app) mergeCommand() *cobra.Command {
	var m merging
	cmd := &cobra.Command{
		Use:   "merge [flags] OLDEST... NEWEST",
		Short: "make one filter of several profiles and filters",
		Long:  mergeLong,
		Example: `  seccompile merge -a x86_64,x86,x32 -o filter.bpf docker-default profile.json
  seccompile merge -f asm first.bpf second.bpf third.s`,
		ValidArgsFunction: completeFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("merge takes two or more profiles or filters, not %d", len(args)).
					hintf("seccompile optimize makes one filter smaller")
			}
			return a.merge(&m, args)
		},
	}
	m.addPlace(cmd)
	m.addReading(cmd)
	m.patience.add(cmd)
	m.emission.add(cmd)
	m.output.add(cmd)
	return cmd
}

// merge reads the sources and writes the filter.
func (a *app) merge(m *merging, args []string) error {
	limits, err := m.limits()
	if err := cmp.Or(err, a.checkRaw(&m.emission, &m.output)); err != nil {
		return err
	}
	sides := make([]*side, len(args))
	for i, arg := range args {
		if sides[i], err = a.side(&m.target, arg); err != nil {
			return err
		}
		if err := sameOrder(sides[0], sides[i]); err != nil {
			return err
		}
	}
	r, err := optimize.Merge(layers(sides), limits)
	if err != nil {
		return unlimited(err)
	}
	m.source = sources(sides)
	if err := a.emit(&m.emission, &m.output, r.Program); err != nil {
		return err
	}
	a.note("%s: %d instructions, proved to do for every call what the %d do together; run on %d calls: no difference",
		m.source, r.Program.Len(), len(sides), r.Points)
	return nil
}

// layers makes the sources ready for merging.
func layers(sides []*side) []optimize.Layer {
	var list []optimize.Layer
	for _, s := range sides {
		f := optimize.Layer{Name: s.name, Policy: s.resolved}
		if f.Policy == nil {
			f.Program = s.program
		}
		list = append(list, f)
	}
	return list
}

// sources names what a filter was merged from.
func sources(sides []*side) string {
	var names []string
	for _, s := range sides {
		names = append(names, s.name)
	}
	return strings.Join(names, " + ")
}
