package policy

import "github.com/seccompile/seccompile/arch"

// appendMuxed appends a rule's conditions for a multiplexer: its first argument selects
// the call, in place of what the rule asks of that argument. The others stay, though
// they now test the multiplexer's own arguments.
func appendMuxed(conds, rule []Cond, selector uint32, width uint64) []Cond {
	conds = append(conds, Cond{Arg: 0, Op: Equal, Mask: width, Value: uint64(selector)})
	for _, c := range rule {
		if c.Arg != 0 {
			conds = append(conds, c)
		}
	}
	return conds
}

// multiplexes reports whether a number is that of socketcall or ipc.
func multiplexes(a arch.ABI, nr uint32) bool {
	sockets, ok1 := a.Socketcall()
	ipcs, ok2 := a.IPC()
	return ok1 && nr == sockets || ok2 && nr == ipcs
}
