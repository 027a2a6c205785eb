package watch

import "github.com/seccompile/seccompile/loader"

// An Install is a filter that a program has put in force, or has tried to.
type Install struct {
	Process
	// Number is how many filters the thread has with this one; 0 if the kernel does not
	// say, before Linux 5.9.
	Number int
	// Filter has all flags that the program gave.
	Filter loader.LiveFilter
	// Refused says why it is not in force: the error number, or what the kernel said
	// instead.
	Refused error
	// Err says why it could not be read. It may be in force all the same.
	Err error
}

// Installs runs a program and reports each filter that it, its threads and the processes
// that it starts put in force. It returns when all of them have ended, with the exit status
// of the program as shells do. It calls seen from one goroutine; and orphaned, if not nil,
// once the program has ended and others go on.
//
// Installs uses ptrace(2), so set-user-ID programs gain no privileges unless this process
// has CAP_SYS_PTRACE, and nobody else can trace the program. Each system call takes several
// times as long. A filter is read from the memory of the program as the kernel takes it
// over: a program with a thread that changes this memory at the right moment deceives
// Installs.
//
// It forwards signals as [Run] does. Once the program has ended, a signal ends Installs and
// the processes that are left go on unobserved. So do all if this process dies.
//
// It needs Linux 5.3. Errors are those of ptrace(2), and [*ExecError].
func Installs(path string, args []string, seen func(*Install), orphaned func()) (status int, err error) {
	return installs(path, args, seen, orphaned)
}
