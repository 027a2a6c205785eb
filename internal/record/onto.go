package record

import (
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Onto returns a recording of the same calls that starts from another profile, such as one
// that has grown in the meantime. That profile must allow all that [Recording.Base] allows,
// because such calls may not have been recorded. A call whose arguments it tests in other
// ways than the recording kept is allowed with any arguments. The error is that of [New].
func (r *Recording) Onto(base *policy.Policy, reading policy.Options) (*Recording, error) {
	o := r.options
	o.Base, o.Reading = base, reading
	onto, err := New(o)
	if err != nil {
		return nil, err
	}
	for id, c := range r.calls {
		onto.calls[id] = onto.again(c)
	}
	if call, ok := syscalltables.Lookup(clone3); ok && r.clone3 {
		if nr, ok := call.Number(arch.Native()); ok {
			onto.Refuses(&cbpf.Data{Arch: arch.Native().Audit(), NR: nr})
		}
	}
	return onto, nil
}

// again records a call of another recording.
func (r *Recording) again(old *call) *call {
	c := r.meet(&old.First)
	c.Count = old.Count
	c.open = old.open || !old.shows(c) || len(old.seen) == maxSeen
	if c.open {
		c.masks, c.tested = [6]argMask{}, false
	}
	if c.tested {
		for values, set := range old.seen {
			d := old.example(combination{values, *set})
			c.see(&d.Args)
		}
	}
	return c
}

// shows reports whether a call has kept all that another wants to keep.
func (c *call) shows(other *call) bool {
	for i, l := range other.masks {
		if l.value&^c.masks[i].value != 0 || l.set&^(c.masks[i].value|c.masks[i].set) != 0 {
			return false
		}
	}
	return !c.netlink || other.netlink
}
