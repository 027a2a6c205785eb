package host

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/loader"
)

// Bounds of a walk.
const (
	moment   = 50 * time.Millisecond // to stop a thread that runs
	patience = 2 * time.Second       // to stop one that does not
	waiting  = 128                   // threads that are waited for together
)

func walk(ctx context.Context, visit func(*Thread)) (Count, error) {
	w := walker{ctx: ctx, visit: visit}
	pids := numbers("/proc")
	if len(pids) == 0 {
		return w.count, errors.New("host: /proc shows no processes (mount it)")
	}
	for _, pid := range pids {
		w.process(pid)
	}
	w.wait()
	return w.count, ctx.Err()
}

// A walker is one walk.
type walker struct {
	ctx   context.Context
	visit func(*Thread)
	count Count
	late  []*Thread // that did not stop at once
}

// numbers returns the entries of a directory that are numbers: of processes, or of threads.
// It may end while it is read.
func numbers(dir string) []int {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	var list []int
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// process visits the threads of a process.
func (w *walker) process(pid int) {
	dir := "/proc/" + strconv.Itoa(pid)
	first := statusOf(dir)
	switch {
	case first == nil:
		return // it has ended
	case !first.memory && !first.ended():
		w.count.Kernel++
		return
	}
	w.count.Processes++
	var place Place
	for _, tid := range numbers(dir + "/task") {
		task := dir + "/task/" + strconv.Itoa(tid)
		s := statusOf(task)
		if s == nil || s.ended() {
			continue
		}
		t := &Thread{PID: pid, TID: tid, Name: first.name, Mode: s.mode}
		if s.mode != Free && place.Path == "" {
			cgroup, _ := os.ReadFile(dir + "/cgroup") // a kernel without control groups has none
			place = PlaceOf(string(cgroup))
		}
		if s.mode != Free {
			t.Place = place
		}
		switch {
		case s.mode != Filtered:
			w.visit(t)
		case s.state == "D": // waits in the kernel
			w.late = append(w.late, t)
		case w.read(t, moment):
			w.visit(t)
		case errors.Is(t.Err, context.DeadlineExceeded):
			w.late = append(w.late, t)
		}
	}
}

// read reads the filters of a thread and reports whether there is something to visit.
func (w *walker) read(t *Thread, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(w.ctx, limit)
	defer cancel()
	t.Filters, t.Err = loader.Dump(ctx, t.TID)
	return !errors.Is(t.Err, unix.ESRCH) && !errors.Is(t.Err, context.DeadlineExceeded)
}

// wait visits the threads that did not stop at once.
func (w *walker) wait() {
	for len(w.late) > 0 {
		batch := w.late[:min(waiting, len(w.late))]
		w.late = w.late[len(batch):]
		known := make([]bool, len(batch))
		var all sync.WaitGroup
		for i, t := range batch {
			all.Go(func() { known[i] = w.read(t, patience) })
		}
		all.Wait()
		for i, t := range batch {
			if errors.Is(t.Err, context.DeadlineExceeded) {
				known[i], t.Err = true, errors.New("host: it waits in the kernel and cannot be stopped")
			}
			if known[i] {
				w.visit(t)
			}
			batch[i] = nil
		}
	}
}

// A status is what /proc/PID/status says of a thread (proc_pid_status(5)).
type status struct {
	name, state string
	mode        Mode
	memory      bool // has an address space: the kernel's threads do not
}

func (s *status) ended() bool { return s.state == "Z" || s.state == "X" }

// statusOf reads the status in a directory of /proc, nil if the thread has ended.
func statusOf(dir string) *status {
	text, err := os.ReadFile(dir + "/status")
	if err != nil {
		return nil
	}
	s := new(status)
	for line := range strings.Lines(string(text)) {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch field {
		case "Name":
			s.name = value
		case "State":
			s.state, _, _ = strings.Cut(value, " ")
		case "VmSize":
			s.memory = true
		case "Seccomp":
			n, _ := strconv.Atoi(value)
			s.mode = Mode(n)
		}
	}
	return s
}
