package main

import (
	"go/token"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/emit"
	"github.com/seccompile/seccompile/internal/failure"
)

// Formats that not all commands write.
const (
	formatArtifact = "artifact" // of compile alone: it records what was compiled
	formatProfile  = "profile"  // of intersect and union alone: not a filter
)

// An outputFormat is the form that a filter is written in.
type outputFormat struct {
	emit.Filter
	formats []string // to choose from, nil for the usual ones
	format  string
}

func (e *outputFormat) add(cmd *cobra.Command) {
	if e.formats == nil {
		e.formats = emit.Formats()
	}
	f := cmd.Flags()
	f.StringVarP(&e.format, "format", "f", e.formats[0], "output `FORMAT`: "+strings.Join(e.formats, ", "))
	f.StringVar(&e.Package, "package", "main", "with -f go: package `NAME`")
	completeFlag(cmd, "format", oneOf(e.formats...))
	completeFlag(cmd, "package", oneOf())
}

// check finds mistakes before any work is done.
func (e *outputFormat) check() error {
	if !slices.Contains(e.formats, e.format) {
		return failure.Usagef("-f: unknown format %q", e.format).
			HintNearest(e.format, e.formats, "formats are "+strings.Join(e.formats, ", "))
	}
	if !token.IsIdentifier(e.Package) {
		return failure.Usagef("--package: %q is not a Go package name", e.Package)
	}
	return nil
}

// emit writes a program in the format and to the place that the flags name.
func (a *app) emit(e *outputFormat, o *output, p *cbpf.Program) error {
	data, err := e.Render(e.format, p)
	if err != nil {
		return err
	}
	return a.put(o, data)
}
