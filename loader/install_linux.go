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
func prepare(p *cbpf.Program, o Options, listener bool) (cbpf.Flag, error) {
	if err := errors.Join(checkProgram(p, listener), checkOptions(o, listener)); err != nil {
		return 0, err
	}
	flags, err := chooseFlags(o, listener, accepts)
	if err != nil {
		return 0, err
	}
	return flags, checkSupport(p, flags)
}

// checkProgram finds out what is wrong with a program, as far as the program
// tells.
func checkProgram(p *cbpf.Program, listener bool) error {
	if p == nil || p.Len() == 0 {
		return &mistake{ErrNoProgram, "the program has no instructions (make one with cbpf.New, cbpf.Decode or a compiler)"}
	}
	var mistakes []error
	// binary.NativeEndian is neither of the two others.
	if big := binary.NativeEndian.Uint16([]byte{0, 1}) == 1; big != (p.Order() == binary.BigEndian) {
		mine, its := "little-endian", "big-endian"
		if big {
			mine, its = its, mine
		}
		mistakes = append(mistakes, &mistake{ErrByteOrder, "the program is " + its + " and this kernel is " + mine + " (compile it for an ABI of this machine)"})
	}
	switch notifies := p.Returns(cbpf.Notify); {
	case notifies && !listener:
		mistakes = append(mistakes, &mistake{ErrNotify, "the program returns NOTIFY, and Install makes no listener (use InstallListener)"})
	case !notifies && listener:
		mistakes = append(mistakes, &mistake{ErrNotify, "the program never returns NOTIFY; a listener would receive no calls (use Install)"})
	}
	return errors.Join(mistakes...)
}

// checkSupport asks the kernel whether it knows the flags and the actions. An
// unknown action would not be refused: its calls would be killed or, KILL_PROCESS
// before Linux 4.14, only the thread.
func checkSupport(p *cbpf.Program, chosen cbpf.Flag) error {
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
func attach(p *cbpf.Program, chosen cbpf.Flag, o Options) (fd int, err error) {
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
	case chosen&cbpf.NewListener != 0:
		return int(r), nil
	case r != 0:
		return -1, &TSyncError{TID: int(r)}
	}
	return -1, nil
}
