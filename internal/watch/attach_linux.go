package watch

import (
	"context"
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
)

// A guest is the tracer of a process that somebody else started.
type guest struct {
	tracer
	denied func(*Denial)
	shared map[string]*cbpf.Program // by content: processes inherit their filters
	failed error
}

func attach(ctx context.Context, pid int, denied func(*Denial)) error {
	if _, err := loader.Dump(ctx, pid); err != nil { // explains itself
		return err
	}
	g := &guest{denied: denied, shared: make(map[string]*cbpf.Program)}
	g.tracer = tracer{owner: g, options: follow, threads: make(map[int]*tracee)}
	done := make(chan error)
	onThread(func() {
		err := g.seizeAll(pid)
		if err == nil {
			g.run(ctx.Done())
			err = g.failed
		}
		done <- err
	})
	return <-done
}

// seizeAll begins to trace all threads of a process, also those that it starts meanwhile.
func (g *guest) seizeAll(pid int) error {
	for before := -1; before < len(g.threads); {
		before = len(g.threads)
		tasks, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
		if err != nil {
			return err
		}
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil || g.threads[tid] != nil {
				continue
			}
			switch err := g.seize(tid); err {
			case nil:
				ptrace(unix.PTRACE_INTERRUPT, tid, 0, 0) // its calls show from the next stop on
			case unix.ESRCH, unix.EPERM: // it has ended, or is traced as the child of another
			default:
				return err
			}
		}
	}
	if len(g.threads) == 0 {
		return &loader.Error{Call: "ptrace", Err: unix.ESRCH, Reason: "the process has ended, or somebody traces it"}
	}
	return nil
}

func (g *guest) entered(x *tracee) {
	if x.filters == nil {
		g.read(x)
	}
	d := &Denial{Action: cbpf.Allow, Filters: len(x.filters)}
	for i, p := range x.filters {
		if a := p.Eval(&x.data).Effective(); a.Compare(d.Action) <= 0 && a != cbpf.Allow { // of equals the newest decides
			d.Action, d.Filter = a, i+1
		}
	}
	if !d.Action.Permits(cbpf.Alone) {
		x.process = processOf(x.tid)
		d.Process, d.Data, d.Texts = x.process, x.data, x.texts()
		g.denied(d)
	}
}

// returned notices that a process may have installed a filter, perhaps on all threads.
func (g *guest) returned(x *tracee, result int64) {
	name := policy.Names().Syscall(x.data.Arch, x.data.NR)
	if result < 0 || name != "seccomp" && (name != "prctl" || x.data.Args[0] != unix.PR_SET_SECCOMP) {
		return
	}
	for _, other := range g.threads {
		if other.process.PID == x.process.PID {
			other.filters = nil
		}
	}
}

func (g *guest) stopped(*tracee, unix.WaitStatus) {}

func (g *guest) ended(*tracee, unix.WaitStatus) {}

// read reads the filters of a thread that is stopped, the oldest first.
func (g *guest) read(x *tracee) {
	x.filters = []*cbpf.Program{}
	for i := uintptr(0); ; i++ {
		var insns [cbpf.MaxInstructions]unix.SockFilter
		n, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SECCOMP_GET_FILTER, uintptr(x.tid), i, uintptr(unsafe.Pointer(&insns)), 0, 0)
		if errno != 0 { // ENOENT behind the last, EINVAL without any
			return
		}
		content := unsafe.String((*byte)(unsafe.Pointer(&insns)), n*8)
		p := g.shared[content]
		if p == nil {
			raw := make([]bpf.RawInstruction, n)
			for pc, ins := range insns[:n] {
				raw[pc] = bpf.RawInstruction{Op: ins.Code, Jt: ins.Jt, Jf: ins.Jf, K: ins.K}
			}
			var err error
			if p, err = cbpf.New(raw, binary.NativeEndian); err != nil {
				g.failed = err // BUG: the kernel accepts only filters
				return
			}
			g.shared[strings.Clone(content)] = p
		}
		x.filters = append(x.filters, p)
	}
}
