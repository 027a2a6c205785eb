package code

import "slices"

// A value is a Value under construction. Values are shared and never changed; nil is the
// value of a point that is not reached.
type value struct {
	unknown bool
	stack   bool // an address on the stack, at offset from the stack pointer on entry
	offset  int64
	consts  []uint64
	addrs   []uint64
	entry   []Place
	slots   []uint64 // words of the GOT whose contents it can be
}

var unknown = &value{unknown: true}

func number(n uint64) *value        { return &value{consts: []uint64{n}} }
func address(a uint64) *value       { return &value{addrs: []uint64{a}} }
func onEntry(p Place) *value        { return &value{entry: []Place{p}} }
func loaded(slot uint64) *value     { return &value{slots: []uint64{slot}} }
func stackAddr(offset int64) *value { return &value{stack: true, offset: offset} }

// isStack tells whether v is one address on the stack and nothing else.
func (v *value) isStack() bool {
	return v != nil && v.stack && !v.unknown && len(v.consts)+len(v.addrs)+len(v.entry)+len(v.slots) == 0
}

func (v *value) equal(w *value) bool {
	if v == w {
		return true
	}
	return v != nil && w != nil && v.unknown == w.unknown && v.stack == w.stack && v.offset == w.offset &&
		slices.Equal(v.consts, w.consts) && slices.Equal(v.addrs, w.addrs) && slices.Equal(v.entry, w.entry) && slices.Equal(v.slots, w.slots)
}

// join returns a value that can be all that v and w can be.
func join(v, w *value) *value {
	switch {
	case v == nil || v == w:
		return w
	case w == nil || v.equal(w):
		return v
	}
	j := &value{unknown: v.unknown || w.unknown, stack: v.stack || w.stack, offset: v.offset}
	if w.stack {
		j.offset = w.offset
		if v.stack && v.offset != w.offset {
			j.unknown, j.stack, j.offset = true, false, 0
		}
	}
	j.consts, j.unknown = union(v.consts, w.consts, j.unknown)
	j.addrs, j.unknown = union(v.addrs, w.addrs, j.unknown)
	j.entry, j.unknown = union(v.entry, w.entry, j.unknown)
	j.slots = unionSlots(v.slots, w.slots)
	return j
}

// union merges two sorted lists; more than MaxConsts become none and unknown.
func union[T uint64 | Place](a, b []T, unknown bool) ([]T, bool) {
	switch {
	case len(b) == 0:
		return a, unknown
	case len(a) == 0:
		return b, unknown
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) > MaxConsts {
		return nil, true
	}
	return all, unknown
}

// anySlot stands for any word of the GOT, where a value can be the contents of more than MaxConsts.
const anySlot = ^uint64(0)

// unionSlots merges lists of words of the GOT, of which none is ever left out: what holds the
// address of a function must not be forgotten.
func unionSlots(a, b []uint64) []uint64 {
	switch {
	case len(b) == 0:
		return a
	case len(a) == 0:
		return b
	}
	all := set(slices.Concat(a, b))
	if len(all) > MaxConsts || all[len(all)-1] == anySlot {
		return []uint64{anySlot}
	}
	return all
}

// holds tells whether v can be what a word of the GOT holds.
func (v *value) holds() bool { return v != nil && len(v.slots) > 0 }

// each applies f to all numbers of v and g to all addresses, either of which may be nil where
// the result is unknown. What v holds besides is unknown in the result.
func (v *value) each(f, g func(uint64) uint64) *value {
	if v == nil {
		return nil
	}
	r := &value{unknown: v.unknown || v.stack || len(v.entry)+len(v.slots) > 0}
	if f != nil {
		r.consts = mapped(v.consts, f)
	} else if len(v.consts) > 0 {
		r.unknown = true
	}
	if g != nil {
		r.addrs = mapped(v.addrs, g)
	} else if len(v.addrs) > 0 {
		r.unknown = true
	}
	if r.unknown && len(r.consts)+len(r.addrs) == 0 {
		return unknown
	}
	return r
}

func mapped(list []uint64, f func(uint64) uint64) []uint64 {
	if len(list) == 0 {
		return nil
	}
	to := make([]uint64, len(list))
	for i, n := range list {
		to[i] = f(n)
	}
	slices.Sort(to)
	return slices.Compact(to)
}

// low returns v cut to its low width bytes. A place of entry keeps standing for its value
// where four bytes are left: numbers of system calls have no more.
func (v *value) low(width uint8) *value {
	if v == nil || width >= 8 {
		return v
	}
	cut := func(n uint64) uint64 { return n & mask(width) }
	keep := func(n uint64) uint64 { return n }
	if width < 4 {
		return v.each(cut, nil)
	}
	r := v.each(cut, keep)
	if len(v.entry) > 0 {
		kept := *r
		kept.entry, kept.unknown = v.entry, v.unknown || v.stack || len(v.slots) > 0
		return &kept
	}
	return r
}

// extended returns the low width bytes of v with their sign.
func (v *value) extended(width uint8) *value {
	if v == nil || width >= 8 {
		return v
	}
	shift := 64 - 8*width
	sign := func(n uint64) uint64 { return uint64(int64(n<<shift) >> shift) }
	r := v.each(sign, nil)
	if len(v.entry) > 0 && width == 4 {
		kept := *r
		kept.entry, kept.unknown = v.entry, v.unknown || v.stack || len(v.addrs)+len(v.slots) > 0
		return &kept
	}
	return r
}

// public returns v for others to read, at a point that is reached.
func (v *value) public() Value {
	if v == nil {
		return Value{Unknown: true}
	}
	return Value{Unknown: v.unknown || v.stack || v.holds(), Consts: v.consts, Addrs: v.addrs, Entry: v.entry}
}

// single tells whether v is one number and nothing else.
func (v *value) single() bool { return v.numbers() && len(v.consts) == 1 }

// numbers tells whether v is some numbers and nothing else.
func (v *value) numbers() bool {
	return !v.unknown && !v.stack && len(v.addrs)+len(v.entry)+len(v.slots) == 0
}

// compute returns what a kind b can be for an arithmetic kind, cut to width bytes.
func compute(kind opKind, a, b *value, width uint8) *value {
	f := operation(kind)
	switch {
	case a == nil || b == nil:
		return nil
	case f == nil || width < 4:
		return unknown
	}
	a, b = a.low(width), b.low(width)
	if a.single() && !b.single() && kind != opSub && kind != opShl && kind != opShr {
		a, b = b, a
	}
	switch {
	case !b.single():
		return pairs(f, a, b).low(width)
	case kind == opAdd:
		return plus(a, b.consts[0]).low(width)
	case kind == opSub:
		return plus(a, -b.consts[0]).low(width)
	}
	n := b.consts[0]
	if all := mask(width); kind == opAnd && n == 0 || kind == opOr && n&all == all {
		return b // whatever a is
	}
	return a.each(func(c uint64) uint64 { return f(c, n) }, nil).low(width)
}

// plus returns v + n.
func plus(v *value, n uint64) *value {
	if n == 0 {
		return v
	}
	if v.isStack() {
		return stackAddr(v.offset + int64(n))
	}
	add := func(c uint64) uint64 { return c + n }
	return v.each(add, add)
}

// pairs computes f for all pairs of numbers.
func pairs(f func(a, b uint64) uint64, a, b *value) *value {
	if !a.numbers() || !b.numbers() {
		return unknown
	}
	var r *value
	for _, n := range b.consts {
		r = join(r, a.each(func(c uint64) uint64 { return f(c, n) }, nil))
	}
	return r
}

func operation(kind opKind) func(a, b uint64) uint64 {
	switch kind {
	case opAdd:
		return func(a, b uint64) uint64 { return a + b }
	case opSub:
		return func(a, b uint64) uint64 { return a - b }
	case opAnd:
		return func(a, b uint64) uint64 { return a & b }
	case opOr:
		return func(a, b uint64) uint64 { return a | b }
	case opXor:
		return func(a, b uint64) uint64 { return a ^ b }
	case opShl:
		return func(a, b uint64) uint64 { return a << (b & 63) }
	case opShr:
		return func(a, b uint64) uint64 { return a >> (b & 63) }
	}
	return nil
}
