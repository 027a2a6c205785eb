package main

import (
	"os"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
)

// checkColor refuses unknown values of --color.
func (a *app) checkColor() error {
	switch a.color {
	case "auto", "always", "never":
		return nil
	}
	return failure.Usagef("--color: unknown value %q (known: auto, always, never)", a.color)
}

// A painter colours text, or leaves it as it is. Colour never carries information that
// the text does not.
type painter bool

// paint returns the painter for standard output. An empty NO_COLOR counts as
// absent (no-color.org).
func (a *app) paint() painter {
	switch a.color {
	case "always":
		return true
	case "never":
		return false
	}
	return painter(os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(a.stdout))
}

// Select Graphic Rendition codes of ECMA-48.
const (
	bold    = "1"
	red     = "31"
	green   = "32"
	yellow  = "33"
	magenta = "35"
	cyan    = "36"
)

func (p painter) text(sgr, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

// action colours s by what the action does to the call.
func (p painter) action(a cbpf.Action, s string) string {
	switch a.Class() {
	case cbpf.Allow:
		return p.text(green, s)
	case cbpf.Log:
		return p.text(cyan, s)
	case cbpf.ErrnoClass:
		return p.text(yellow, s)
	case cbpf.Notify, cbpf.TraceClass:
		return p.text(magenta, s)
	}
	return p.text(red, s)
}
