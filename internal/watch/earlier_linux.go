package watch

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// A witness finds the calls of a program that earlier filters deny. The kernel asks all
// filters and takes the strictest answer; an answer that is stricter than NOTIFY keeps
// the call from the listener (kernel/seccomp.c: seccomp_run_filters). So it sees calls
// enter and return, which a thread does before and after the kernel asks its filters, and
// is told of those that the listener hears: what returns unheard, an earlier filter has
// answered.
type witness struct {
	tracer
	filter *cbpf.Program // ours
	before int           // filters that were in force before it
	denied func(*Denial)

	started bool
	quit    chan struct{}
	done    chan struct{} // closed when no thread is traced any more
	program int           // its process
	status  chan unix.WaitStatus
	dying   map[int]bool // processes that take a SIGSYS

	unheard error        // why the witness does not see everything
	deaf    atomic.Bool  // nobody listens any more
	strange atomic.Int64 // calls of threads that are not traced
	sees    atomic.Bool  // the kernel has shown something: an earlier filter may answer ptrace
}

func newWitness(filter *cbpf.Program, before int, program *os.Process, denied func(*Denial)) *witness {
	w := &witness{
		filter: filter, before: before, denied: denied, program: program.Pid,
		quit: make(chan struct{}), done: make(chan struct{}), status: make(chan unix.WaitStatus, 1), dying: make(map[int]bool),
	}
	w.tracer = tracer{owner: w, options: follow | unix.PTRACE_O_TRACEEXIT | unix.PTRACE_O_EXITKILL, threads: make(map[int]*tracee)}
	return w
}

// start begins with the thread that is about to execute the program.
func (w *witness) start(tid int) {
	if w.started {
		return // a signal has made it call anew
	}
	w.started = true
	seized := make(chan error)
	onThread(func() {
		defer close(w.done)
		defer close(w.status)
		err := w.seize(tid)
		seized <- err
		if err == nil {
			w.run(w.quit)
		}
	})
	if err := <-seized; err != nil {
		w.unheard = fmt.Errorf("ptrace: %w", err)
	}
}

// abandon says that there is nothing to start with any more.
func (w *witness) abandon() {
	if !w.started {
		w.started = true
		close(w.status)
		close(w.done)
	}
}

// finish lets go of threads that are left. It returns why the witness may have missed
// calls, or nil.
func (w *witness) finish() error {
	close(w.quit)
	select {
	case <-w.done:
	case <-time.After(patience):
	}
	if w.unheard == nil && (w.strange.Load() > 0 || !w.sees.Load()) {
		return errors.New("some of its processes could not be traced")
	}
	return w.unheard
}

// hear says that the listener heard of a call. Its thread waits, unless another one has
// ended the process meanwhile: then it may be gone from those that are traced.
func (w *witness) hear(n *loader.Notification) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if x := w.threads[n.PID]; x != nil {
		x.heard = true
	} else if n.Valid() == nil {
		w.strange.Add(1)
	}
}

func (w *witness) entered(x *tracee) { x.heard = false }

// answered reports whether an earlier filter must have answered the call of a thread.
func (w *witness) answered(x *tracee) bool {
	return !x.heard && !w.deaf.Load() && w.filter.Eval(&x.data) == cbpf.Notify
}

func (w *witness) returned(x *tracee, result int64) {
	const interrupted = -512 // linux/errno.h: ERESTARTSYS, before the listener heard of it
	if result == interrupted || !w.answered(x) {
		return
	}
	// Of TRAP and KILL the result shows nothing; what happens next does.
	a := cbpf.Errno(0)
	if -4095 <= result && result < 0 {
		a = cbpf.Errno(uint16(-result))
	}
	x.denial = w.deny(x, a)
}

// deny describes the thread's call, which a filter answers with an action.
func (w *witness) deny(x *tracee, a cbpf.Action) *Denial {
	s := readStatus(strconv.Itoa(x.tid))
	x.process = s.process() // it may have been renamed
	return &Denial{Process: x.process, Data: x.data, Texts: x.texts(), Action: a, Own: s.filters == 0 || s.filters > w.before+1}
}

func (w *witness) stopped(x *tracee, s unix.WaitStatus) {
	w.sees.Store(true)
	event := int(s) >> 16
	taking := event == 0 && s.StopSignal() == unix.SIGSYS
	switch {
	case event == unix.PTRACE_EVENT_EXIT:
		w.exits(x)
	case x.denial != nil && event != unix.PTRACE_EVENT_STOP: // that one may come between
		if data, ok := seccompSignal(x.tid); taking && ok {
			x.denial.Action = cbpf.Trap | cbpf.Action(data)
		}
		w.report(x)
	}
	if taking {
		w.dying[x.process.PID] = true
	}
}

// exits looks at why a thread ends: the kernel reports that of every thread to a tracer, and
// wait(2) only that of the process.
func (w *witness) exits(x *tracee) {
	killed := unix.Signal(x.message()&0x7f) == unix.SIGSYS
	switch {
	case killed && x.denial != nil:
		x.denial.Action = cbpf.KillProcess
		w.dying[x.process.PID] = true
		w.report(x)
	case killed && x.inCall && w.answered(x) && !w.ends(x.process.PID):
		w.denied(w.deny(x, cbpf.KillThread))
	}
	x.inCall = false
}

func (w *witness) ended(x *tracee, s unix.WaitStatus) {
	if x.denial != nil { // and then SIGKILL
		w.report(x)
	}
	if !w.has(func(other *tracee) bool { return other.process.PID == x.process.PID }) {
		delete(w.dying, x.process.PID)
	}
	if x.tid == w.program {
		w.status <- s
	}
}

// ends reports whether a process may end by the SIGSYS of another of its threads.
func (w *witness) ends(pid int) bool {
	return w.dying[pid] || w.has(func(x *tracee) bool { return x.process.PID == pid && x.denial != nil })
}

// has reports whether one of the threads is as asked.
func (w *witness) has(is func(*tracee) bool) bool {
	for _, x := range w.threads {
		if is(x) {
			return true
		}
	}
	return false
}

func (w *witness) report(x *tracee) {
	w.denied(x.denial)
	x.denial = nil
}
