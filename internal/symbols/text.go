package symbols

import (
	"math/bits"
	"strconv"
	"strings"
)

// Text writes a value: "AF_INET", "O_RDONLY|O_CLOEXEC", and bits without a name as a
// number: "O_RDWR|0x80000000". Parse reads it as the same value again.
//
// A constant with bit 31 set comes with two upper halves, because programs differ in
// how they widen an int, and filters see the difference. The one that compilers give it
// on the ABI goes by the name alone: AT_FDCWD is 0xffffff9c on x86_64 and
// 0xffffffffffffff9c on riscv64. The other one is (long)AT_FDCWD where it has the sign
// in its upper half and (unsigned)AT_FDCWD where it has zeros.
func (x Arg) Text(v uint64) string {
	if name := x.whole(v); name != "" {
		return name
	}
	if x.kind != Flags && x.kind != Mode || v == 1<<32-1 || v == 1<<64-1 {
		return x.number(v)
	}
	return x.bits(v, 1<<64-1, asValue)
}

// Compare writes a comparison of the argument, as far as a mask leaves it: "family !=
// AF_VSOCK", "flags & (CLONE_NEWNS|CLONE_NEWUTS) == 0". The mask of a whole argument has
// all bits of the ABI's argument width. op is an operator as C writes it.
func (x Arg) Compare(op string, mask, v uint64) string {
	left := x.Name()
	if full := x.full(); mask&full != full {
		left += " & " + x.mask(mask)
	}
	var right string
	switch {
	case op != "==" && op != "!=" && x.kind == Flags:
		right = hex(v) // sets of flags are in no order
	case x.covers(mask):
		right = x.Text(v)
	default:
		right = x.bits(v, mask, asValue)
	}
	return left + " " + op + " " + parenthesized(right)
}

// full returns the bits of an argument.
func (x Arg) full() uint64 {
	if x.abi.Bits() == 32 {
		return 1<<32 - 1
	}
	return 1<<64 - 1
}

// covers reports whether a mask leaves all bits of an int: constants have no others.
func (x Arg) covers(mask uint64) bool { return mask&(1<<32-1) == 1<<32-1 }

// mask writes a mask that leaves some bits, as those that it leaves out if they are less.
func (x Arg) mask(mask uint64) string {
	out := ^mask & x.full()
	switch {
	case mask == 1<<32-1:
		return hex(mask)
	case bits.OnesCount64(mask) > bits.OnesCount64(out):
		return "~" + parenthesized(x.bits(out, 1<<64-1, asBits))
	}
	return parenthesized(x.bits(mask, mask, asMask))
}

func parenthesized(s string) string {
	if strings.Contains(s, "|") {
		return "(" + s + ")"
	}
	return s
}

// whole returns the name of a value, or "".
func (x Arg) whole(v uint64) string {
	for i := range x.constants() {
		c := &x.constants()[i]
		if w, ok := c.value(x.abi); ok && c.of == whole {
			if v == w {
				return c.name
			}
			if v == x.otherwise(w) {
				return cast(v) + c.name
			}
		}
	}
	return ""
}

// otherwise returns a value of 32 bits with the other upper half that an int can have,
// or the value itself if it has only one.
func (x Arg) otherwise(v uint64) uint64 {
	switch low := uint64(uint32(v)); {
	case x.abi.Bits() == 32 || int32(v) >= 0:
		return v
	case v == low:
		return uint64(int64(int32(v)))
	default:
		return low
	}
}

// The casts name the upper half of a constant that compilers do not give it.
const (
	long     = "(long)"
	unsigned = "(unsigned)"
)

func cast(v uint64) string {
	if v > 1<<32-1 {
		return long
	}
	return unsigned
}

// A reading says what bits are.
type reading uint8

const (
	asValue reading = iota // a value: a field has one even where it is 0
	asMask                 // a mask: it names fields and not their values
	asBits                 // what is left out by a mask: no more than the bits themselves
)

// bits writes the bits of a value that a mask leaves.
func (x Arg) bits(v, mask uint64, r reading) string {
	var names []string
	rest, left := v, mask // what is not named yet
	set := x.constants()
	for i := range set {
		c := &set[i]
		w, ok := c.value(x.abi)
		part := w // the bits that the name is about
		switch {
		case !ok || c.of == whole || c.of == field && (r != asMask || !isName(c.name)):
			continue
		case c.of >= 0 && (r == asMask || r == asBits && w == 0):
			continue
		case c.of >= 0:
			part, _ = constants[c.of].value(x.abi)
		}
		if left&part == part && rest&part == w {
			names, rest, left = append(names, c.name), rest&^part, left&^part
		}
	}
	switch {
	case rest == 0 && len(names) > 0:
	case r == asValue || x.kind == Mode:
		names = append(names, x.number(rest))
	default:
		names = append(names, hex(rest))
	}
	return strings.Join(names, "|")
}

// number writes a value, or bits of it, that have no name.
func (x Arg) number(v uint64) string {
	switch x.kind {
	case Number, FD:
		if n := int64(v<<(64-x.abi.Bits())) >> (64 - x.abi.Bits()); v <= x.full() && -4096 < n && n < 0 {
			return strconv.FormatInt(n, 10)
		}
		if v < 1<<31 {
			return strconv.FormatUint(v, 10)
		}
	case Enum:
		if v < 1<<12 {
			return strconv.FormatUint(v, 10)
		}
	case Mode:
		if 0 < v && v < 1<<21 {
			return "0" + strconv.FormatUint(v, 8)
		}
	}
	return hex(v)
}

func hex(v uint64) string {
	if v < 10 {
		return strconv.FormatUint(v, 10)
	}
	return "0x" + strconv.FormatUint(v, 16)
}
