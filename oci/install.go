package oci

import (
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// Install installs the filter on the calling thread and leaves the goroutine locked to
// it ([runtime.LockOSThread]), unless it returns an error. It does not touch
// no_new_privs: a runtime sets it if the container asks for it, and otherwise installs
// while it has CAP_SYS_ADMIN. (An earlier filter can fake the result of
// prctl(PR_SET_NO_NEW_PRIVS), but not a 1 from PR_GET_NO_NEW_PRIVS.) fd is the
// listener's descriptor, closed on exec, or -1 if the filter has no NOTIFY action or
// Install returns an error. Errors are those of package loader. The filter is compiled,
// so that only Debug counts of the options.
//
// Once the filter is in force, Install makes no further system call on the thread. The
// profile must not notify of the calls that pass the listener to the process that calls
// [SendState], since nobody could answer them yet. runc writes fd as text to a pipe, and
// its parent fetches the file (pidfd_getfd(2)); that is why [policy.Runc] refuses NOTIFY
// for write(2).
func (f *Filter) Install(o Options) (fd int, err error) {
	word, err := f.flagsWord()
	if err != nil {
		return -1, err
	}
	how := loader.Options{ThisThread: true, KeepPrivs: true, Flags: []cbpf.Flag{word}}
	listens := f.Program != nil && f.Program.Returns(cbpf.Notify)
	if listens {
		word |= cbpf.NewListener
	}
	if o.Debug != nil {
		o.Debug(fmt.Sprintf("seccomp filter flags: %d", word))
	}
	if !listens {
		return -1, loader.Install(f.Program, how)
	}
	if fd, err = loader.InstallDescriptor(f.Program, how); err != nil {
		return -1, err
	}
	return fd, nil
}

// flagsWord returns the flags argument of seccomp(2), as far as the profile decides it.
// TSYNC means nothing for the one thread that becomes the container.
func (f *Filter) flagsWord() (word cbpf.Flag, err error) {
	if f.Flags == nil {
		err := supported(cbpf.SpecAllow)
		if errors.As(err, new(*loader.UnsupportedError)) {
			return 0, nil
		}
		return cbpf.SpecAllow, err
	}
	for _, flag := range f.Flags {
		word |= flag
	}
	return word &^ cbpf.TSync, nil
}
