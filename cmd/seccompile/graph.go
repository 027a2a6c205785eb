package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/syscalltables"
)

// The graphFlags are the flags of graph.
type graphFlags struct {
	targetFlags
	format, stage, syscall string
}

func (a *app) graphCommand() *cobra.Command {
	var d graphFlags
	var o output
	formats := []string{"text", "dot", "svg", "mermaid"}
	stages := []string{"diagram", "tree"}
	cmd := &cobra.Command{
		Use:        "graph [flags] [PROFILE]",
		Short:      "draw the decisions of a profile, or the tests of its filter",
		SuggestFor: []string{"draw", "plot"},
		Long: `Graph draws one of the two stages between a profile and its filter:

  diagram  what the profile decides: by ABI, number and arguments
  tree     the tests of the filter, each of them one or two instructions

Neighbouring calls with the same verdict are folded into the first, the last and
their count. With --syscall, graph draws only what affects this call. SVG images are
self-contained, follow light and dark surroundings, and show the rule behind a test
as a tooltip.`,
		Example: `  seccompile graph -a x86_64 docker-default
  seccompile graph -f svg --syscall socket -o socket.svg docker-default
  seccompile graph -f dot --stage tree profile.json | dot -Tpdf -o tree.pdf`,
		Args:              one("profile"),
		ValidArgsFunction: completeOneProfile,
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(formats, d.format) {
				return failure.Usagef("-f: unknown format %q (known: %s)", d.format, strings.Join(formats, ", "))
			}
			if !slices.Contains(stages, d.stage) {
				return failure.Usagef("--stage: unknown stage %q (known: %s)", d.stage, strings.Join(stages, ", "))
			}
			return a.draw(&d, &o, first(args))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&d.format, "format", "f", "text", "output `FORMAT`: "+strings.Join(formats, ", "))
	f.StringVar(&d.syscall, "syscall", "", "draw only what affects the call `NAME`")
	f.StringVar(&d.stage, "stage", "diagram", "`STAGE` to draw: "+strings.Join(stages, " or "))
	o.add(cmd)
	d.addPlace(cmd)
	a.addNumeric(cmd)
	d.addReading(cmd)
	d.addTuning(cmd)
	completeFlag(cmd, "format", oneOf(formats...))
	completeFlag(cmd, "stage", oneOf(stages...))
	completeFlag(cmd, "syscall", completeCalls)
	return cmd
}

// draw reads a profile and draws it.
func (a *app) draw(d *graphFlags, o *output, arg string) error {
	if err := checkCall(d.syscall); err != nil {
		return err
	}
	in, err := a.read(arg)
	if err != nil {
		return err
	}
	c, err := d.compile(in)
	if err != nil {
		return err
	}
	a.warn(in, c.Warnings)
	options := graph.Options{ABIs: c.Resolved.ABIs(), Syscall: d.syscall, Title: in.Name}
	if !a.numeric {
		options.Words = symbols.Names()
	}
	var g *graph.Graph
	if d.stage == "tree" {
		g, err = graph.Tree(c.Result.Tree, options)
	} else {
		g, err = graph.Diagram(c.Result.Diagram, options)
	}
	if err != nil {
		return failure.Nof("%w", err)
	}
	var text string
	switch d.format {
	case "dot":
		text = g.DOT()
	case "svg":
		text = g.SVG()
	case "mermaid":
		text = g.Mermaid()
	default:
		text = g.Text()
	}
	return a.put(o, []byte(text))
}

// checkCall refuses names that no ABI has.
func checkCall(name string) error {
	if _, ok := syscalltables.Lookup(name); ok || name == "" {
		return nil
	}
	f := failure.Usagef("--syscall: unknown system call %q", name)
	if near := syscalltables.Nearest(name); near != "" {
		return f.Hintf("did you mean %s?", near)
	}
	return f.Hintf("run \"seccompile syscalls\" for the list")
}
