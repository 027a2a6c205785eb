package record

import "github.com/seccompile/seccompile/cbpf"

// Known are the values that an argument can have; nil means any.
type Known []uint64

// maxKnown bounds the combinations of values of one call.
const maxKnown = 256

// AddReachable adds a call that static analysis finds, with all values that its arguments can
// have..
func (r *Recording) AddReachable(d cbpf.Data, args [6]Known) {
	id := number{d.Arch, d.NR}
	c := r.calls[id]
	if c == nil {
		c = r.meet(&d)
		r.calls[id] = c
	}
	c.Count++
	ways := 1
	for i := range args {
		switch {
		case args[i] == nil:
			c.masks[i] = argMask{}
		case c.masks[i] == argMask{}:
		case ways*len(args[i]) > maxKnown:
			c.masks[i] = argMask{}
		default:
			ways *= len(args[i])
		}
	}
	if c.netlink && args[0] == nil {
		c.netlink = false
	}
	if c.tested = c.masks != [6]argMask{}; c.tested {
		c.seeAll(d.Args, args, 0)
	}
}

// seeAll sees all combinations of values, from an argument on.
func (c *call) seeAll(values [6]uint64, args [6]Known, from int) {
	if from == len(args) {
		c.see(&values)
		return
	}
	if c.masks[from] == (argMask{}) {
		c.seeAll(values, args, from+1)
		return
	}
	for _, v := range args[from] {
		values[from] = v
		c.seeAll(values, args, from+1)
	}
}

// Asks returns the arguments of a call whose values a recording tests, as bits.
func (r *Recording) Asks(d *cbpf.Data) (bits uint8) {
	for i, l := range r.meet(d).masks {
		if l != (argMask{}) {
			bits |= 1 << i
		}
	}
	return bits
}
