package watch

import (
	"github.com/seccompile/seccompile/cbpf"
)

// A Denial is a call that filters deny for which this process does not answer.
type Denial struct {
	Process Process
	Data    cbpf.Data
	// Texts are what arguments point to, as [Texts] returns it.
	Texts [6]string
	// Action is the filters' answer. Of an earlier filter's it is what the call shows: an
	// error number, a return value of 0, the data of a SIGSYS, or how the thread ended.
	Action cbpf.Action
	// Filter is the number of the filter that decides, 1 for the oldest, of Filters; 0
	// if that cannot be known.
	Filter, Filters int
	// Own says that the filter may be one that the program put in force itself, if it is
	// not known: the thread is under more filters than Run started it with, or the kernel
	// does not say under how many (before Linux 5.9).
	Own bool
}
