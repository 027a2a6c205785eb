package loader

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
)

func probe() (Features, error) {
	var found Features
	lacking, err := unsupported(allFlags)
	if err != nil {
		return Features{}, err
	}
	for i := range flagSince {
		if f := cbpf.Flag(1) << i; lacking&f == 0 {
			found.Flags = append(found.Flags, f)
		}
	}
	found.Actions, _, err = available(func(cbpf.Action) bool { return true })
	if err != nil {
		return Features{}, err
	}
	found.NotifSize, found.RespSize, found.DataSize, err = notifSizes()
	if err != nil {
		return Features{}, err
	}
	return found, nil
}

// actionClasses returns every class, strictest first.
func actionClasses() []cbpf.Action {
	return []cbpf.Action{
		cbpf.KillProcess, cbpf.KillThread, cbpf.Trap, cbpf.ErrnoClass,
		cbpf.Notify, cbpf.TraceClass, cbpf.Log, cbpf.Allow,
	}
}

// unsupported returns those of asked that the kernel does not know.
func unsupported(asked cbpf.Flag) (cbpf.Flag, error) {
	ok, err := accepts(asked)
	if ok || err != nil {
		return 0, err
	}
	// Is it the flags, or are there no filters at all?
	if _, err := accepts(0); err != nil {
		return 0, err
	}
	var lacking cbpf.Flag
	for i := range flagSince {
		f := asked & (1 << i)
		if f == 0 {
			continue
		}
		with := f
		if f == cbpf.WaitKillableRecv {
			with |= cbpf.NewListener // alone it is refused
		}
		if ok, err := accepts(with); err != nil {
			return 0, err
		} else if !ok {
			lacking |= f
		}
	}
	return lacking, nil
}

// accepts reports whether the kernel takes this flags argument. The kernel checks
// it before it reads the program, for which no memory is given.
func accepts(f cbpf.Flag) (bool, error) {
	_, errno := seccomp(unix.SECCOMP_SET_MODE_FILTER, f, nil)
	switch {
	case errno == unix.EFAULT:
		return true, nil
	case errno == unix.EINVAL && f != 0:
		return false, nil
	}
	return false, askError(errno)
}

// available returns which of the classes that are asked for the kernel knows, and
// which it lacks.
func available(asked func(cbpf.Action) bool) (known, lacking []cbpf.Action, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Filters of this thread see where the action is and not which one, so one that
	// answers in the kernel's place knows this action, too: no kernel does.
	action := heap(cbpf.Allow | 1)
	if _, errno := seccomp(unix.SECCOMP_GET_ACTION_AVAIL, 0, unsafe.Pointer(action)); errno == 0 {
		return nil, nil, fakedError("seccomp")
	}
	for _, class := range actionClasses() {
		if !asked(class) {
			continue
		}
		*action = class
		_, errno := seccomp(unix.SECCOMP_GET_ACTION_AVAIL, 0, unsafe.Pointer(action))
		which := &lacking
		switch errno {
		case 0:
			which = &known
		case unix.EOPNOTSUPP:
		case unix.EINVAL:
			// Linux before 4.14 cannot be asked and has the actions of Linux 3.5.
			switch class {
			case cbpf.KillThread, cbpf.Trap, cbpf.ErrnoClass, cbpf.TraceClass, cbpf.Allow:
				which = &known
			}
		default:
			return nil, nil, askError(errno)
		}
		*which = append(*which, class)
	}
	return known, lacking, nil
}

// notifSizes returns the sizes of struct seccomp_notif, seccomp_notif_resp and
// seccomp_data; zeros before Linux 5.0.
func notifSizes() (notif, resp, data int, err error) {
	var sizes struct{ notif, resp, data uint16 } // struct seccomp_notif_sizes
	_, errno := seccomp(unix.SECCOMP_GET_NOTIF_SIZES, 0, unsafe.Pointer(&sizes))
	switch errno {
	case 0, unix.EINVAL:
		return int(sizes.notif), int(sizes.resp), int(sizes.data), nil
	}
	return 0, 0, 0, askError(errno)
}
