package loader

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// setPrivs sets no_new_privs on this thread. Unless prctl(2) is trusted, nil means
// that it is set for certain.
func setPrivs(trusted bool) error {
	if !trusted {
		if had, err := privs(); had || err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return &Error{
			Call:   "prctl",
			Err:    err,
			Reason: "cannot set no_new_privs: an earlier filter denies the call (let it allow prctl, or set KeepPrivs)",
		}
	}
	if trusted {
		return nil
	}
	if has, _ := privs(); !has {
		return fakedError("prctl")
	}
	return nil
}

// privs reports whether this thread has no_new_privs. Only true is certain: in the
// kernel's place a filter can answer 0 or an error number (kernel/seccomp.c:
// __seccomp_filter), but not 1.
func privs() (bool, error) {
	r, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err == nil {
		return r == 1, nil
	}
	const status = "/proc/thread-self/status"
	// Another thread's may be mounted there. The last id is that in our namespace.
	if strings.HasSuffix("\t"+procField(status, "NSpid"), "\t"+strconv.Itoa(unix.Gettid())) {
		switch procField(status, "NoNewPrivs") {
		case "0":
			return false, nil
		case "1":
			return true, nil
		}
	}
	return false, &Error{
		Call: "prctl",
		Err:  err,
		Reason: "cannot tell whether no_new_privs is set: an earlier filter denies PR_GET_NO_NEW_PRIVS, and /proc does not show it " +
			"(let it allow prctl, mount /proc, or set KeepPrivs or TrustPrctl)",
	}
}
