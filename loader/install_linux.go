package loader

import (
	"encoding/binary"
	"errors"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
)

func install(p *cbpf.Program, o Options) error {
	flags, err := prepare(p, o, false)
	if err != nil {
		return err
	}
	_, err = attach(p, flags, o)
	return err
}

func installDescriptor(p *cbpf.Program, o Options) (fd int, err error) {
	flags, err := prepare(p, o, true)
	if err != nil {
		return -1, err
	}
	return attach(p, flags, o)
}

func installListener(p *cbpf.Program, o Options) (*Listener, error) {
	flags, err := prepare(p, o, true)
	if err != nil {
		return nil, err
	}
	// Asked now, because the filter may not allow the question.
	notif, resp, err := listenerSizes()
	if err != nil {
		return nil, err
	}
	fd, err := attach(p, flags, o)
	if err != nil {
		return nil, err
	}
	return newListener(fd, notif, resp), nil
}

// prepare checks everything that leaves no trace. It returns the flags argument
// of seccomp(2).
func prepare(p *cbpf.Program, o Options, listener bool) (Flag, error) {
	if err := errors.Join(checkProgram(p, listener), checkOptions(o, listener)); err != nil {
		return 0, err
	}
	flags, err := chooseFlags(o, listener)
	if err != nil {
		return 0, err
	}
	return flags, checkSupport(p, flags)
}

// checkProgram finds out what is wrong with a program, as far as the program
// tells.
func checkProgram(p *cbpf.Program, listener bool) error {
	if p == nil || p.Len() == 0 {
		return problem("the program has no instructions (make one with cbpf.New, cbpf.Decode or a compiler)")
	}
	var problems []error
	if mine, its := endian(binary.NativeEndian), endian(p.Order()); mine != its {
		problems = append(problems, problem("the program is "+its+", this kernel "+mine+" (compile it for an ABI of this machine)"))
	}
	switch notifies := p.Returns(cbpf.Notify); {
	case notifies && !listener:
		problems = append(problems, problem("the program returns NOTIFY and nobody would listen (use InstallListener)"))
	case !notifies && listener:
		problems = append(problems, problem("the program never returns NOTIFY, so a listener would hear nothing (use Install)"))
	}
	return errors.Join(problems...)
}

// checkOptions finds contradictions between the options.
func checkOptions(o Options, listener bool) error {
	var problems []error
	named := union(o.Flags)
	if u := named.unknown(); u != 0 {
		problems = append(problems, problem("flag "+u.String()+" is unknown (known: "+knownNames()+")"))
	}
	if named&NewListener != 0 && !listener {
		problems = append(problems, problem(NewListener.String()+" without a listener (use InstallListener)"))
	}
	if named&WaitKillableRecv != 0 && !listener {
		problems = append(problems, problem(WaitKillableRecv.String()+" is only for a program that returns NOTIFY (drop the flag)"))
	}
	if named&TSync != 0 && o.ThisThread {
		problems = append(problems, problem(TSync.String()+" contradicts ThisThread (drop one)"))
	}
	return errors.Join(problems...)
}

// chooseFlags returns the flags argument of seccomp(2).
func chooseFlags(o Options, listener bool) (Flag, error) {
	chosen := union(o.Flags)
	if o.Flags == nil {
		ok, err := accepts(SpecAllow)
		if err != nil {
			return 0, err
		}
		if ok {
			chosen |= SpecAllow
		}
	}
	if !o.ThisThread {
		chosen |= TSync
	}
	if listener {
		chosen |= NewListener
	}
	// A positive result is a listener or the id of a diverged thread; the kernel
	// refuses flags that would make it either (kernel/seccomp.c:
	// seccomp_set_mode_filter). With TSYNC alone it names the thread.
	if chosen&(TSync|NewListener) == TSync|NewListener {
		chosen |= TSyncESRCH
	}
	return chosen, nil
}

// checkSupport asks the kernel whether it knows the flags and the actions. An
// unknown action would not be refused: its calls would be killed or, KILL_PROCESS
// before Linux 4.14, only the thread.
func checkSupport(p *cbpf.Program, chosen Flag) error {
	var lacking UnsupportedError
	var err error
	if lacking.Flags, err = unsupported(chosen); err != nil {
		return err
	}
	if _, lacking.Actions, err = available(p.Returns); err != nil {
		return err
	}
	if lacking.Flags != 0 || lacking.Actions != nil {
		return &lacking
	}
	return nil
}

// attach sets no_new_privs if it should and installs the program. It returns the
// listener's descriptor if there is one. The last call is the one that installs:
// the filter may allow no other.
func attach(p *cbpf.Program, chosen Flag, o Options) (fd int, err error) {
	filter := make([]unix.SockFilter, p.Len())
	for pc := range filter {
		ins := p.At(pc)
		filter[pc] = unix.SockFilter{Code: ins.Op, Jt: ins.Jt, Jf: ins.Jf, K: ins.K}
	}
	prog := heap(unix.SockFprog{Filter: &filter[0]})

	runtime.LockOSThread()
	defer func() {
		if err != nil || !o.ThisThread {
			runtime.UnlockOSThread()
		}
	}()
	// The program is empty yet, which the kernel refuses before anything else
	// (kernel/seccomp.c: seccomp_prepare_filter). Earlier filters, which see the
	// arguments and not the memory, cannot tell this call from the next.
	if _, errno := seccomp(unix.SECCOMP_SET_MODE_FILTER, chosen, unsafe.Pointer(prog)); errno != unix.EINVAL {
		return -1, askError(errno)
	}
	if !o.KeepPrivs {
		if err := setPrivs(o.TrustPrctl); err != nil {
			return -1, err
		}
	}
	prog.Len = uint16(len(filter))
	r, errno := seccomp(unix.SECCOMP_SET_MODE_FILTER, chosen, unsafe.Pointer(prog))
	switch {
	case errno == unix.ESRCH:
		return -1, &TSyncError{TID: divergedThread()}
	case errno != 0:
		return -1, installError(errno, len(filter))
	case chosen&NewListener != 0:
		return int(r), nil
	case r != 0:
		return -1, &TSyncError{TID: int(r)}
	}
	return -1, nil
}

func union(flags []Flag) Flag {
	var all Flag
	for _, f := range flags {
		all |= f
	}
	return all
}

func endian(order binary.ByteOrder) string {
	if order.Uint16([]byte{0, 1}) == 1 {
		return "big-endian"
	}
	return "little-endian"
}
