package loader

import (
	"errors"

	"github.com/seccompile/seccompile/cbpf"
)

// flagSince has, for each bit of seccomp(2)'s flags argument, the first Linux version
// that knows it.
var flagSince = [...]string{"3.17", "4.14", "4.17", "5.0", "5.7", "5.19"}

// allFlags are the flags that this package knows.
const allFlags cbpf.Flag = 1<<len(flagSince) - 1

// checkOptions finds contradictions between the options.
func checkOptions(o Options, listener bool) error {
	var mistakes []error
	named := union(o.Flags)
	if u := named &^ allFlags; u != 0 {
		mistakes = append(mistakes, &mistake{ErrFlags, "flag " + u.String() + " is unknown (use the flags that package cbpf declares)"})
	}
	if named&cbpf.NewListener != 0 && !listener {
		mistakes = append(mistakes, &mistake{ErrFlags, cbpf.NewListener.String() + " makes a listener, which Install does not return (use InstallListener)"})
	}
	if named&cbpf.WaitKillableRecv != 0 && !listener {
		mistakes = append(mistakes, &mistake{ErrFlags, cbpf.WaitKillableRecv.String() + " is only for a program that returns NOTIFY (remove the flag)"})
	}
	if named&cbpf.TSync != 0 && o.ThisThread {
		mistakes = append(mistakes, &mistake{ErrFlags, cbpf.TSync.String() + " contradicts ThisThread (remove one)"})
	}
	return errors.Join(mistakes...)
}

// chooseFlags returns the flags argument of seccomp(2). accepts asks the kernel
// whether it knows a flag.
func chooseFlags(o Options, listener bool, accepts func(cbpf.Flag) (bool, error)) (cbpf.Flag, error) {
	chosen := union(o.Flags)
	if o.Flags == nil {
		ok, err := accepts(cbpf.SpecAllow)
		if err != nil {
			return 0, err
		}
		if ok {
			chosen |= cbpf.SpecAllow
		}
	}
	if !o.ThisThread {
		chosen |= cbpf.TSync
	}
	if listener {
		chosen |= cbpf.NewListener
	}
	// A positive result is a listener or the id of a diverged thread; the kernel
	// refuses flags that would make it either (kernel/seccomp.c:
	// seccomp_set_mode_filter). With TSYNC alone it names the thread.
	if chosen&(cbpf.TSync|cbpf.NewListener) == cbpf.TSync|cbpf.NewListener {
		chosen |= cbpf.TSyncESRCH
	}
	return chosen, nil
}

func union(flags []cbpf.Flag) cbpf.Flag {
	var all cbpf.Flag
	for _, f := range flags {
		all |= f
	}
	return all
}
