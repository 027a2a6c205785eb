package syscalltables

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

// Multiplexed returns how programs on one ABI can also make the call through
// socketcall(2) or ipc(2): the number of that multiplexer as filters see it, and the
// value of its first argument that stands for the call. ok is false if they cannot.
// Most such calls have a number of their own as well, which Number returns.
func (c Call) Multiplexed(a arch.ABI) (nr, selector uint32, ok bool) {
	sockets, ok := a.Socketcall()
	if !ok || !c.Valid() { // an ABI has both multiplexers or none
		return 0, 0, false
	}
	name := c.Name()
	if i := slices.Index(socketcalls[:], name); i > 0 {
		return sockets, uint32(i), true
	}
	if i := slices.Index(ipcCalls[:], name); i > 0 {
		nr, ok = a.IPC()
		return nr, uint32(i), ok
	}
	return 0, 0, false
}
