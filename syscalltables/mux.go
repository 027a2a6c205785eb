package syscalltables

import "github.com/seccompile/seccompile/arch"

// Multiplexed returns how programs on one ABI can also make the call through
// socketcall(2) or ipc(2): the number of that multiplexer as filters see it, and the
// value of its first argument that stands for the call. ok is false if they cannot.
// Most such calls have a number of their own as well, which Number returns.
func (c Call) Multiplexed(a arch.ABI) (nr, selector uint32, ok bool) {
	if !c.Valid() || selectors[c] == 0 {
		return 0, 0, false
	}
	if selectors[c]&throughIPC != 0 {
		nr, ok = a.IPC()
	} else {
		nr, ok = a.Socketcall()
	}
	if !ok {
		return 0, 0, false
	}
	return nr, uint32(selectors[c] &^ throughIPC), true
}
