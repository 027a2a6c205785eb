package main

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/syscalltables"
)

func (a *app) syscallsCommand() *cobra.Command {
	var names []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:        "syscalls [flags] [NAME|PATTERN|NUMBER...]",
		Short:      "look up system calls, their numbers and arguments",
		SuggestFor: []string{"lookup", "resolver", "syscall"},
		Long: `Syscalls prints one line for each system call and ABI: the ABI, the number as
filters see it (including the MIPS base and bit 30 of x32), the name, the Linux release
that introduced the call on that ABI, and the names of its arguments. Without names or
numbers it lists all calls of the ABIs. A pattern has *, ? and [...] as in the shell.

A release is exact (5.9), an interval (6.1..6.12: after the first, at the latest in the
second), a bound (<=5.10), or unknown (?).`,
		Example: `  seccompile syscalls openat2
  seccompile syscalls -a all clone3
  seccompile syscalls 'clone*'
  seccompile syscalls -a x86_64,x86 435 mmap2
  seccompile syscalls -a s390x --json`,
		ValidArgsFunction: completeCalls,
		RunE: func(_ *cobra.Command, args []string) error {
			abis, err := listedABIs(names)
			if err != nil {
				return err
			}
			rows, missing := findCalls(abis, args)
			if asJSON {
				err = a.putJSON(new(output), callsDocument(rows))
			} else {
				a.printCalls(rows)
			}
			return cmp.Or(err, missing)
		},
	}
	cmd.Flags().StringSliceVarP(&names, "abi", "a", nil, "look in these `ABI`s, or in all (default: the host's)")
	addJSON(cmd, &asJSON)
	completeFlag(cmd, "abi", func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return completeList(word, append([]string{"all"}, intake.KnownABIs()...))
	})
	return cmd
}

// listedABIs returns the ABIs that -a states.
func listedABIs(names []string) ([]arch.ABI, error) {
	switch {
	case slices.Contains(names, "all"):
		return slices.Collect(arch.All()), nil
	case len(names) > 0:
		return intake.ParseABIs(names)
	case arch.Native() == 0:
		return nil, failure.Usagef("this host's architecture is not one of seccompile's ABIs").Hintf("name one with -a")
	}
	return []arch.ABI{arch.Native()}, nil
}

// A callRow is one call on one ABI.
type callRow struct {
	abi  arch.ABI
	nr   uint32
	call syscalltables.Call
}

// findCalls looks up names and numbers, or lists everything if there are none.
// The error lists those that none of the ABIs has.
func findCalls(abis []arch.ABI, args []string) ([]callRow, error) {
	var rows []callRow
	if len(args) == 0 {
		for _, a := range abis {
			for nr, c := range syscalltables.All(a) {
				rows = append(rows, callRow{a, nr, c})
			}
		}
		return rows, nil
	}
	var missing []string
	hint := ""
	for _, arg := range args {
		before := len(rows)
		if isPattern(arg) {
			if _, err := path.Match(arg, ""); err != nil {
				return nil, failure.Usagef("%s: %w", failure.Shown(arg), err)
			}
			rows = append(rows, matching(abis, arg)...)
		}
		for _, a := range abis {
			if row, ok := findCall(a, arg); ok {
				rows = append(rows, row)
			}
		}
		if len(rows) == before {
			missing = append(missing, arg)
			hint = cmp.Or(hint, missingHint(arg))
		}
	}
	if missing == nil {
		return rows, nil
	}
	f := failure.Nof("no such call on %s: %s", strings.Join(intake.ABINames(abis), ", "), strings.Join(missing, ", "))
	return rows, f.Hintf("%s", hint)
}

func isPattern(arg string) bool { return strings.ContainsAny(arg, "*?[") }

// matching returns the calls whose names match a pattern of the shell.
func matching(abis []arch.ABI, pattern string) (rows []callRow) {
	for _, a := range abis {
		for nr, c := range syscalltables.All(a) {
			if ok, _ := path.Match(pattern, c.Name()); ok {
				rows = append(rows, callRow{a, nr, c})
			}
		}
	}
	return rows
}

func findCall(a arch.ABI, arg string) (callRow, bool) {
	if c, ok := syscalltables.Lookup(arg); ok {
		nr, ok := c.Number(a)
		return callRow{a, nr, c}, ok
	}
	nr, err := strconv.ParseUint(arg, 0, 32)
	if err != nil {
		return callRow{}, false
	}
	c, ok := syscalltables.ByNumber(a, uint32(nr))
	return callRow{a, uint32(nr), c}, ok
}

// missingHint suggests what a name that was not found may mean.
func missingHint(name string) string {
	if _, ok := syscalltables.Lookup(name); ok {
		return name + " exists on other ABIs: list them with -a all"
	}
	if near := syscalltables.Nearest(name); near != "" && !isPattern(name) {
		return "did you mean " + near + "?"
	}
	return "seccompile knows the system calls of Linux " + syscalltables.Kernel().String()
}

func (a *app) printCalls(rows []callRow) {
	var t table
	p := a.paint()
	width := 0
	for _, r := range rows {
		width = max(width, len(fmt.Sprint(r.nr)))
	}
	for _, r := range rows {
		t.row(
			cell{text: r.abi.String()},
			cell{text: fmt.Sprintf("%*d", width, r.nr)},
			cell{text: r.call.Name(), paint: func(s string) string { return p.text(bold, s) }},
			cell{text: sinceText(r.call.Since(r.abi))},
			cell{text: strings.Join(r.call.Args(r.abi), ", ")},
		)
	}
	t.print(a.out)
}

// sinceText writes what is known of a call's introduction.
func sinceText(s syscalltables.Since) string {
	var unknown syscalltables.Version
	switch {
	case s.Exact:
		return s.By.String()
	case s.By == unknown && s.After == unknown:
		return "?"
	case s.By == unknown:
		return ">" + s.After.String()
	case s.After == unknown:
		return "<=" + s.By.String()
	}
	return s.After.String() + ".." + s.By.String()
}

// A callsJSON is the document of syscalls --json.
type callsJSON struct {
	Version  int        `json:"version"`
	Kernel   string     `json:"kernel"` // that the tables describe
	Syscalls []callJSON `json:"syscalls"`
}

type callJSON struct {
	ABI    string    `json:"abi"`
	Number uint32    `json:"number"`
	Name   string    `json:"name"`
	Since  sinceJSON `json:"since,omitzero"`
	Args   []string  `json:"args,omitempty"`
}

// A sinceJSON is what is known of the release that introduced a call.
type sinceJSON struct {
	After string `json:"after,omitempty"` // a release that does not have the call
	By    string `json:"by,omitempty"`    // a release that has it
	Exact bool   `json:"exact,omitempty"` // By is the first
}

func callsDocument(rows []callRow) callsJSON {
	doc := callsJSON{Version: answer.Version, Kernel: syscalltables.Kernel().String(), Syscalls: []callJSON{}}
	for _, r := range rows {
		since := r.call.Since(r.abi)
		doc.Syscalls = append(doc.Syscalls, callJSON{
			ABI: r.abi.String(), Number: r.nr, Name: r.call.Name(), Args: r.call.Args(r.abi),
			Since: sinceJSON{After: releaseText(since.After), By: releaseText(since.By), Exact: since.Exact},
		})
	}
	return doc
}

func releaseText(v syscalltables.Version) string {
	if v == (syscalltables.Version{}) {
		return ""
	}
	return v.String()
}
