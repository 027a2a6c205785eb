package loader

import (
	"context"
	"errors"

	"github.com/seccompile/seccompile/cbpf"
)

// ErrNoFilters says that a thread has no filters.
var ErrNoFilters = errors.New("loader: the thread has no filters")

// A LiveFilter is one of the filters of a thread.
type LiveFilter struct {
	Program *cbpf.Program
	// Flags are the flags of the filter as far as the kernel shows them: cbpf.LogFlag, since
	// Linux 4.16.
	Flags cbpf.Flag
}

// Dump returns the filters of a running thread, the oldest first: that is how the
// kernel numbers them. The id of a process is that of its first thread; other
// threads may have other filters. [ErrNoFilters] says that there are none.
//
// It needs CAP_SYS_ADMIN in the initial user namespace, permission to trace the
// thread, and a kernel from Linux 4.4 on with CONFIG_CHECKPOINT_RESTORE. The
// calling thread must have no filters of its own, and the thread must be one of
// another process that nobody else traces. If that is a child of this process, do
// not wait for it meanwhile: wait(2) reports the stop, too.
//
// The thread is stopped while it is looked at, less than a millisecond, and goes on
// then whatever happens; one that was stopped stays so. As with SIGSTOP and
// SIGCONT, a call that waits is resumed, but some, such as epoll_wait(2), fail with
// EINTR (signal(7)), and a notified call makes a new notification. A thread
// that cannot be stopped now, because it waits in the kernel for a disk or for the
// child of a vfork(2), is waited for until ctx ends, whose error is returned then.
func Dump(ctx context.Context, tid int) ([]LiveFilter, error) { return dump(ctx, tid) }
