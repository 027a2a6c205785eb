package oci

import (
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// Install puts the filter in force on the calling thread, to which it locks the
// goroutine, and leaves no_new_privs as it is: a runtime sets it if the container
// asks for it, and otherwise installs while it has CAP_SYS_ADMIN. (An earlier filter
// can make up the answer of prctl(PR_SET_NO_NEW_PRIVS), but not a 1 from
// PR_GET_NO_NEW_PRIVS.) fd is the listener's descriptor, closed on exec, or -1 if the
// filter has no NOTIFY action or an error is returned. debug, if not nil, gets the
// line that tells the flags. Errors are those of package loader.
//
// Once the filter is in force nothing but the caller makes a call on the thread.
// The calls that it takes to get the listener to the process that shall call
// [SendState] must not be among those that are notified of, for nobody could answer
// yet. runc writes fd as text to a pipe and its parent fetches the file
// (pidfd_getfd(2)), which is why [policy.Runc] has no NOTIFY for write(2).
func (f *Filter) Install(debug func(line string)) (fd int, err error) {
	word, err := f.flagsWord()
	if err != nil {
		return -1, err
	}
	o := loader.Options{ThisThread: true, KeepPrivs: true, Flags: []loader.Flag{word}}
	listens := f.Program != nil && f.Program.Returns(cbpf.Notify)
	if listens {
		word |= loader.NewListener
	}
	if debug != nil {
		debug(fmt.Sprintf("seccomp filter flags: %d", word))
	}
	if !listens {
		return -1, loader.Install(f.Program, o)
	}
	if fd, err = loader.InstallDescriptor(f.Program, o); err != nil {
		return -1, err
	}
	return fd, nil
}

// flagsWord returns the flags argument of seccomp(2), as far as the profile has a
// say in it. TSYNC means nothing for the one thread that becomes the container.
func (f *Filter) flagsWord() (word loader.Flag, err error) {
	if f.Flags == nil {
		err := supported(loader.SpecAllow)
		if errors.As(err, new(*loader.UnsupportedError)) {
			return 0, nil
		}
		return loader.SpecAllow, err
	}
	for _, flag := range f.Flags {
		word |= flag
	}
	return word &^ loader.TSync, nil
}
