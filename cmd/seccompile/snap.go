package main

import (
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/language/snap"
)

// renderSnap writes what snap-confine loads. The program is the newer of the two filters, and
// the older one allows all: running one long filter is faster than two. One that allows all
// by itself is none.
func renderSnap(p *cbpf.Program) ([]byte, error) {
	older, err := intake.AllowEverything(p.Order())
	if err != nil {
		return nil, err
	}
	f := snap.Filters{Deny: older, Allow: p, Unrestricted: p.Len() == 1 && p.At(0) == older.At(0)}
	return f.AppendBinary(nil)
}

// A snapJSON is the document of disasm --json for the filters of a snap.
type snapJSON struct {
	Version      int         `json:"version"`
	Unrestricted bool        `json:"unrestricted"` // snap-confine loads no filter
	Deny         *filterJSON `json:"deny,omitempty"`
	Allow        *filterJSON `json:"allow,omitempty"` // loaded over the other
}

// disassembleSnap shows both filters of a snap, in the order in which snap-confine loads them.
func (a *app) disassembleSnap(o *output, in *intake.Input, p painter, asJSON bool) error {
	f, err := snap.Decode(in.Data)
	switch {
	case err != nil:
		return in.No(err)
	case asJSON && f.Unrestricted:
		return a.putJSON(o, &snapJSON{Version: answer.Version, Unrestricted: true})
	case asJSON:
		deny, allow := disassembly(f.Deny), disassembly(f.Allow)
		return a.putJSON(o, &snapJSON{Version: answer.Version, Deny: &deny, Allow: &allow})
	case f.Unrestricted:
		return a.put(o, []byte("; unrestricted: snap-confine loads no filter\n"))
	}
	text := "; deny, which is loaded first\n" + p.assembly(f.Deny, f.Deny.Disassemble(symbols.Names())) +
		"\n; allow, which is loaded over it\n" + p.assembly(f.Allow, f.Allow.Disassemble(symbols.Names()))
	return a.put(o, []byte(text))
}
