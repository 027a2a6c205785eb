package main

import (
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/emit"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/language/snap"
)

// A snapJSON is the document of disasm --json for the filters of a snap.
type snapJSON struct {
	Version      int            `json:"version"`
	Unrestricted bool           `json:"unrestricted"` // snap-confine loads no filter
	Deny         *emit.Document `json:"deny,omitempty"`
	Allow        *emit.Document `json:"allow,omitempty"` // loaded over the other
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
		return a.putJSON(o, &snapJSON{Version: answer.Version, Deny: emit.Disassembly(f.Deny), Allow: emit.Disassembly(f.Allow)})
	case f.Unrestricted:
		return a.put(o, []byte("; unrestricted: snap-confine loads no filter\n"))
	}
	text := "; deny, which is loaded first\n" + p.assembly(f.Deny, f.Deny.Disassemble(symbols.Names())) +
		"\n; allow, which is loaded over it\n" + p.assembly(f.Allow, f.Allow.Disassemble(symbols.Names()))
	return a.put(o, []byte(text))
}
