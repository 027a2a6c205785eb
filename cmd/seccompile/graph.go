package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/compiler/graph"
	"github.com/seccompile/seccompile/syscalltables"
	"github.com/seccompile/seccompile/words"
)

// A drawing is what the flags of graph say.
type drawing struct {
	target
	format, stage, syscall string
}

func (a *app) graphCommand() *cobra.Command {
	var d drawing
	var o output
	formats := []string{"text", "dot", "svg", "mermaid"}
	stages := []string{"diagram", "tree"}
	cmd := &cobra.Command{
		Use:   "graph [flags] [PROFILE]",
		Short: "draw what a profile decides, and how its filter tests it",
		Long: `Graph draws one of the two stages between a profile and its filter:

  diagram  what the profile decides: the ABI, the number, the arguments
  tree     the tests of the filter, each of them one instruction or two

Calls with the same verdict in a row of their table are folded: the first and the
last, and how many there are. With --syscall only what this call meets is drawn.
SVG images need nothing else, follow light and dark surroundings, and have
tooltips: the rule that a test comes from.`,
		Example: `  seccompile graph -a x86_64 docker-default
  seccompile graph -f svg --syscall socket -o socket.svg docker-default
  seccompile graph -f dot --stage tree profile.json | dot -Tpdf -o tree.pdf`,
		Args:              one("profile"),
		ValidArgsFunction: completeOneProfile,
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(formats, d.format) {
				return usagef("-f: %q: want %s", d.format, strings.Join(formats, ", "))
			}
			if !slices.Contains(stages, d.stage) {
				return usagef("--stage: %q: want %s", d.stage, strings.Join(stages, " or "))
			}
			return a.draw(&d, &o, first(args))
		},
	}
	d.addPlace(cmd)
	d.addReading(cmd)
	d.addTuning(cmd)
	f := cmd.Flags()
	f.StringVarP(&d.format, "format", "f", "text", "write `FORMAT`: "+strings.Join(formats, ", "))
	f.StringVar(&d.stage, "stage", "diagram", "draw `STAGE`: "+strings.Join(stages, " or "))
	f.StringVar(&d.syscall, "syscall", "", "only what the call `NAME` meets")
	a.addNumeric(cmd)
	o.add(cmd)
	completeFlag(cmd, "format", oneOf(formats...))
	completeFlag(cmd, "stage", oneOf(stages...))
	completeFlag(cmd, "syscall", completeCalls)
	return cmd
}

// draw reads a profile and draws it.
func (a *app) draw(d *drawing, o *output, arg string) error {
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
	a.warn(in, c.warnings)
	options := graph.Options{ABIs: resolvedABIs(c.resolved), Syscall: d.syscall, Title: in.name}
	if !a.numeric {
		options.Words = words.Names{}
	}
	var g *graph.Graph
	if d.stage == "tree" {
		g, err = graph.Tree(c.result.Tree, options)
	} else {
		g, err = graph.Diagram(c.result.Diagram, options)
	}
	if err != nil {
		return nof("%w", err)
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
	f := usagef("--syscall: no ABI has a call %q", name)
	if near := syscalltables.Nearest(name); near != "" {
		return f.hintf("did you mean %s?", near)
	}
	return f.hintf("seccompile syscalls lists them")
}
