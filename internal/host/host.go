// Package host finds the threads of a host that have filters, and says which process,
// service or container each belongs to.
package host

import (
	"context"

	"github.com/seccompile/seccompile/loader"
)

// A Mode is how seccomp confines a thread (proc_pid_status(5): Seccomp).
type Mode uint8

// The modes.
const (
	Free Mode = iota
	Strict
	Filtered
)

// A Thread is a thread of a process.
type Thread struct {
	PID, TID int
	Name     string // of the process's first thread (proc_pid_comm(5))
	Place    Place  // of the process; only if the thread is confined
	Mode     Mode
	// Filters are those of a filtered thread, the oldest first.
	Filters []loader.LiveFilter
	// Err says why they could not be read. Then the thread counts as filtered.
	Err error
}

// A Count is what a walk came across.
type Count struct {
	Processes int // those of the kernel are not among them
	Kernel    int // threads of the kernel, which have no filters
}

// Walk visits the threads of all processes that /proc shows, one at a time. The threads of
// a process come one after the other, with one exception: those that cannot be stopped at
// once, such as one that waits for the child of a vfork(2), come last; Walk waits two
// seconds for all of them together. It passes over what ends meanwhile.
//
// Reading filters needs what [loader.Dump] does. Where that is missing, each thread says so.
func Walk(ctx context.Context, visit func(*Thread)) (Count, error) { return walk(ctx, visit) }
