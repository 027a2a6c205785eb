package policy

import (
	"slices"

	"github.com/seccompile/seccompile/arch"
)

// The calls that some ABIs also reach through a multiplexer, by the number that
// its first argument says (linux/net.h: SYS_SOCKET; linux/ipc.h: SEMOP).
var (
	socketcalls = [...]string{
		1: "socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername",
		"socketpair", "send", "recv", "sendto", "recvfrom", "shutdown", "setsockopt",
		"getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
	}
	ipcCalls = [...]string{
		1: "semop", "semget", "semctl", "semtimedop",
		11: "msgsnd", "msgrcv", "msgget", "msgctl",
		21: "shmat", "shmdt", "shmget", "shmctl",
	}
)

// A muxed is how multiplexers know a call. The zero muxed is a call that no
// multiplexer has.
type muxed struct {
	by   multiplexer
	call uint8 // value of the multiplexer's first argument
}

// A multiplexer is a call that stands for many.
type multiplexer uint8

const (
	noMultiplexer multiplexer = iota
	socketcall
	ipc
)

// muxedCall returns how multiplexers know the call of that name, which is not empty.
func muxedCall(name string) muxed {
	if i := slices.Index(socketcalls[:], name); i >= 0 {
		return muxed{socketcall, uint8(i)}
	}
	if i := slices.Index(ipcCalls[:], name); i >= 0 {
		return muxed{ipc, uint8(i)}
	}
	return muxed{}
}

// number returns the multiplexer's number on one ABI.
func (m multiplexer) number(a arch.ABI) (nr uint32, ok bool) {
	switch m {
	case socketcall:
		return a.Socketcall()
	case ipc:
		return a.IPC()
	case noMultiplexer:
	}
	return 0, false
}

// String returns the multiplexer's name.
func (m multiplexer) String() string {
	switch m {
	case socketcall:
		return "socketcall"
	case ipc:
		return "ipc"
	case noMultiplexer:
	}
	return ""
}

// appendConds appends a rule's conditions for the multiplexer: its first argument
// is the call, in place of what the rule asks of that argument. The others stay,
// though they now test the multiplexer's own arguments.
func (m muxed) appendConds(conds, rule []Cond, width uint64) []Cond {
	conds = append(conds, Cond{Arg: 0, Op: Equal, Mask: width, Value: uint64(m.call)})
	for _, c := range rule {
		if c.Arg != 0 {
			conds = append(conds, c)
		}
	}
	return conds
}
