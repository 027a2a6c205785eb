package proof

// A word is a 32-bit value that depends on the call: for each bit, least
// significant first, the calls for which it is one.
type word [32]set

func constant(k uint32) word {
	var w word
	for i := range w {
		w[i] = set(k >> i & 1)
	}
	return w
}

// value returns the constant that w is, if it is one.
func (w *word) value() (k uint32, ok bool) {
	for i, b := range w {
		if b > all {
			return 0, false
		}
		k |= uint32(b) << i
	}
	return k, true
}

// isEqual returns the calls for which a == b. Like all comparisons it starts
// with the last bits of the order, so that each step adds a node on top.
func (u *universe) isEqual(a, b *word) set {
	s := all
	for i := range a {
		switch b[i] { // constants are the common case
		case none:
			s = u.choose(a[i], none, s)
		case all:
			s = u.choose(a[i], s, none)
		default:
			s = u.and(u.xor(a[i], b[i]).not(), s)
		}
	}
	return s
}

// isAbove returns the calls for which a > b, or a >= b.
func (u *universe) isAbove(a, b *word, orEqual bool) set {
	s := none
	if orEqual {
		s = all
	}
	for i := range a {
		switch b[i] {
		case none:
			s = u.choose(a[i], all, s)
		case all:
			s = u.choose(a[i], s, none)
		default:
			s = u.or(u.without(a[i], b[i]), u.without(s, u.without(b[i], a[i])))
		}
	}
	return s
}

// meets returns the calls for which a & b != 0.
func (u *universe) meets(a, b *word) set {
	s := none
	for i := range a {
		s = u.or(u.and(a[i], b[i]), s)
	}
	return s
}

// bitwise combines two words bit by bit.
func bitwise(op func(f, g set) set, a, b *word) word {
	var w word
	for i := range w {
		w[i] = op(a[i], b[i])
	}
	return w
}

// mux returns a for the calls in s and b for the others.
func (u *universe) mux(s set, a, b *word) word {
	var w word
	for i := range w {
		w[i] = u.choose(s, a[i], b[i])
	}
	return w
}

// add returns a + b + carry, modulo 2^32.
func (u *universe) add(a, b *word, carry set) word {
	var w word
	for i := range w {
		half := u.xor(a[i], b[i])
		w[i] = u.xor(half, carry)
		carry = u.or(u.and(a[i], b[i]), u.and(half, carry))
	}
	return w
}

func complement(a *word) word {
	var w word
	for i := range w {
		w[i] = a[i].not()
	}
	return w
}

// sub returns a - b, modulo 2^32.
func (u *universe) sub(a, b *word) word {
	c := complement(b)
	return u.add(a, &c, all)
}

// multiply returns a * b, modulo 2^32.
func (u *universe) multiply(a, b *word) word {
	if _, ok := a.value(); ok {
		a, b = b, a
	}
	sum := constant(0)
	for i := range b {
		if b[i] == none || u.over != "" {
			continue
		}
		var part word
		for j := i; j < len(part); j++ {
			part[j] = u.and(a[j-i], b[i])
		}
		sum = u.add(&sum, &part, none)
	}
	return sum
}

// divide returns a / b by long division. Where b is zero the result means
// nothing.
func (u *universe) divide(a, b *word) word {
	var quotient, rest word
	for i := len(a) - 1; i >= 0 && u.over == ""; i-- {
		top := rest[31] // the rest is 33 bits wide for a moment
		copy(rest[1:], rest[:31])
		rest[0] = a[i]
		quotient[i] = u.or(top, u.isAbove(&rest, b, true))
		less := u.sub(&rest, b)
		rest = u.mux(quotient[i], &less, &rest)
	}
	return quotient
}

// shift returns a << b, or a >> b if right. Only the lower five bits of b count,
// as they do for the 32-bit shifts that the kernel turns these into
// (kernel/bpf/core.c: ___bpf_prog_run).
func (u *universe) shift(a, b *word, right bool) word {
	w := *a
	for i := range 5 {
		var moved word
		if right {
			copy(moved[:], w[1<<i:])
		} else {
			copy(moved[1<<i:], w[:])
		}
		w = u.mux(b[i], &moved, &w)
	}
	return w
}
