package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/edit"
	"github.com/seccompile/seccompile/internal/failure"
)

const fmtLong = `Fmt writes profiles in one layout: a value a line, indented with tabs, keys in the order
of the format. Names are sorted and each is there once in an entry; entries that differ in
their names alone become one, unless an entry between them names the same call. Comments and
unknown keys stay. Fmt proves that the profile means the same: on every ABI, and with every
capability and kernel that it mentions.

Without flags, fmt writes one profile to standard output. -i changes files. --check changes
nothing: it names the files that fmt would change, and the exit status is then 1.`

// The fmtFlags are the flags of fmt.
type fmtFlags struct {
	place          output
	inPlace, check bool
}

func (a *app) fmtCommand() *cobra.Command {
	var f fmtFlags
	cmd := &cobra.Command{
		Use:        "fmt [flags] [PROFILE...]",
		Short:      "lay out profiles in one way",
		SuggestFor: []string{"format", "sort", "tidy"},
		Long:       fmtLong,
		Example: `  seccompile fmt profile.json
  seccompile fmt -i *.json
  seccompile fmt --check *.json`,
		ValidArgsFunction: completeProfile,
		RunE:              func(_ *cobra.Command, args []string) error { return a.fmt(&f, args) },
	}
	cmd.Flags().BoolVarP(&f.inPlace, "in-place", "i", false, "change the files")
	cmd.Flags().BoolVar(&f.check, "check", false, "name the files that would change, with exit status 1")
	f.place.add(cmd)
	annotate(cmd, "output", changesFile, "")
	cmd.MarkFlagsMutuallyExclusive("output", "in-place", "check")
	return cmd
}

// fmt lays out profiles. A file with mistakes does not keep it from the others.
func (a *app) fmt(f *fmtFlags, args []string) error {
	if len(args) == 0 {
		args = []string{""}
	}
	if len(args) > 1 && !f.inPlace && !f.check {
		return failure.Usagef("fmt: expected one profile, got %d", len(args)).Hintf("-i changes several files, and --check names those that would change")
	}
	status := &failure.Error{}
	for _, arg := range args {
		changed, err := a.format(f, arg)
		if err != nil {
			status.Status = max(status.Status, a.report(nil, err))
		} else if changed && f.check {
			status.Status = max(status.Status, failure.No)
		}
	}
	if status.Status == 0 {
		return nil
	}
	return status
}

// format lays out one profile.
func (a *app) format(f *fmtFlags, arg string) (changed bool, err error) {
	in, err := a.editable("fmt", arg, f.inPlace)
	if err != nil {
		return false, err
	}
	text, err := edit.Format(in.Source)
	if err != nil {
		return false, in.No(err)
	}
	changed = !bytes.Equal(text, in.Data)
	switch {
	case f.check && changed:
		_, err = fmt.Fprintln(a.out, in.Name)
	case f.check, f.inPlace && !changed:
	case f.inPlace:
		err = a.put(&output{arg}, text)
	default:
		err = a.put(&f.place, text)
	}
	return changed, err
}
