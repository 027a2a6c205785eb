package algebra

import (
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Reason is why no profile says what sources mean together.
type Reason uint8

// The reasons. Most are about numbers that profiles cannot name: what these get follows from
// the default action, and from the largest number that a profile names.
const (
	ForeignNumbers Reason = iota // numbers that belong to no ABI of the result
	Bound                        // numbers above the largest that is named
	Holes                        // numbers of no call, between those of calls
	ABIBound                     // a call is above the largest number on one ABI and below it on another, or has to get different actions there
	Multiplexer                  // a call that is also made through socketcall or ipc
	TooManyRules                 // a call takes more rules than [Options] allow
	Unsayable                    // an action that profiles have no words for
	Flags                        // the sources' filters cannot have the same flags
	Listener                     // the sources notify different listeners
	Notify                       // runtimes refuse NOTIFY as default action, and for write
	Limit                        // the proof was too large, so nothing is known
)

// String returns the reason in a word or two, as "foreign-numbers".
func (r Reason) String() string {
	names := [...]string{"foreign-numbers", "bound", "holes", "abi-bound", "multiplexer", "too-many-rules", "unsayable", "flags", "listener", "notify", "limit"}
	if int(r) >= len(names) {
		return fmt.Sprintf("Reason(%d)", uint8(r))
	}
	return names[r]
}

// A Refusal says why no profile means what sources are together. It is an error.
type Refusal struct {
	Reason Reason
	// ABI, NR and Call are of the first call that no profile gets right: zero if the refusal
	// is not about a call, and Call is "" if the number has no name.
	ABI  arch.ABI
	NR   uint32
	Call string
	// Want is what the call gets from the sources together, Got what it gets from the
	// nearest profile. Witness is a call where they differ.
	Want, Got cbpf.Action
	Witness   cbpf.Data
	// Nearest is a profile that differs only by Changes, from Meaning to it. It is nil if
	// none was found that gives no call a weaker action than Meaning does. (A number that no
	// table names is not a call.)
	Nearest *policy.Policy
	Changes []proof.Change
	// Accept is what to accept for the nearest profile to be the result; zero if nothing
	// would do.
	Accept Relation

	detail string // more about the reason
}

// Error returns one sentence: the call, what it should get and gets, and the cure.
func (r *Refusal) Error() string {
	text := "algebra: "
	if r.ABI.Valid() {
		text += r.ABI.String() + ": "
		if r.Call != "" {
			text += r.Call
		} else {
			text += "number " + policy.Interval{First: r.NR, Last: r.NR}.String()
		}
		text += fmt.Sprintf(": the sources together give it %v, and the nearest profile %v: ", r.Want, r.Got)
	}
	if text += r.why(); r.detail != "" {
		text += ": " + r.detail
	}
	return text + " (" + r.cure() + ")"
}

func (r *Refusal) cure() string {
	const raw = "use one filter, -f raw"
	switch {
	case r.Reason == Listener:
		return "give the profiles one listener"
	case r.Reason == Flags:
		return "give the profiles the same flags"
	case r.Accept != 0:
		return "accept " + r.Accept.String() + ", or " + raw
	case r.Reason == TooManyRules:
		return "allow more rules, or " + raw
	}
	return raw
}

func (r *Refusal) why() string {
	switch r.Reason {
	case ForeignNumbers:
		return "no profile decides about numbers of other ABIs"
	case Bound:
		return "a profile gives one action to all numbers above the largest that it names"
	case Holes:
		return "a profile cannot name numbers that no call has"
	case ABIBound:
		return "a rule of a profile is the same on all ABIs"
	case Multiplexer:
		return "rules of a profile also hold for the call through socketcall and ipc, without conditions on the first argument"
	case TooManyRules:
		return "it takes too many rules"
	case Unsayable:
		return "profiles have no words for this"
	case Flags:
		return "the filters need different flags"
	case Listener:
		return "the profiles notify different listeners"
	case Notify:
		return "runtimes refuse to notify of it"
	case Limit:
		return "the proof is too large"
	}
	return r.Reason.String()
}

// refused makes a refusal of a draft that is not what it should be.
func (w *writer) refused(d *draft) *Refusal {
	r := &Refusal{Reason: d.reason, detail: d.detail}
	if len(d.changes) == 0 {
		return r
	}
	if d.fits {
		r.Accept = d.except
	}
	if !d.weak {
		r.Nearest, r.Changes = d.profile, d.changes
	}
	c := d.worst()
	r.Witness, r.Want, r.Got, r.NR = c.Witness.Call, c.From, c.To, c.Witness.Call.NR
	if d.detail == "" {
		r.Reason = w.reasonOf(d, &c)
	}
	if abi, ok := arch.ByAudit(r.Witness.Arch, r.NR); ok {
		call, _ := syscalltables.ByNumber(abi, r.NR)
		r.ABI, r.Call = abi, call.Name()
	}
	return r
}

// worst returns the change that most is wrong with: of class before data, of calls before
// other numbers.
func (d *draft) worst() proof.Change {
	best, rank := 0, 99
	for i := range d.changes {
		c := &d.changes[i]
		n := 0
		if d.foreign(c) {
			n += 2
		}
		if d.unassigned(c) {
			n += 2
		}
		if sameClass(c) {
			n++
		}
		if n < rank {
			best, rank = i, n
		}
	}
	return d.changes[best]
}

func (w *writer) reasonOf(d *draft, c *proof.Change) Reason {
	nr := c.Witness.Call.NR
	abi, ok := arch.ByAudit(c.Witness.Call.Arch, nr)
	call, named := syscalltables.ByNumber(abi, nr)
	sockets, ok1 := abi.Socketcall()
	ipcs, ok2 := abi.IPC()
	switch {
	case !ok || c.Audits[0].First != c.Audits[0].Last || !sayable(c.From) || named && !slices.Contains(w.abis, abi):
		return Unsayable
	case ok1 && nr == sockets || ok2 && nr == ipcs, d.retired[call.Name()]:
		return Multiplexer
	case d.tooMany[call.Name()]:
		return TooManyRules
	case w.foreign(c):
		return ForeignNumbers
	case w.unassigned(c):
		last := uint32(0)
		for n := range syscalltables.All(abi) {
			last = n
		}
		if nr > last {
			return Bound
		}
		return Holes
	case named && len(w.abis) > 1:
		return ABIBound
	}
	return Bound
}
