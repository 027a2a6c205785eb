package watch

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// MainPreempted is Main for a scheduler that takes the processor from the confined
// thread as soon as the filter is in force, while another thread closes a file.
func MainPreempted() {
	if len(os.Args) > 1 && os.Args[1] == entry {
		low, _ := unix.Dup(2)
		startWith(func(p *cbpf.Program, o loader.Options) (int, error) {
			_ = unix.Close(low)
			fd, err := loader.InstallDescriptor(p, o)
			_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGURG) // as the runtime does
			runtime.Gosched()
			return fd, err
		})
	}
}
