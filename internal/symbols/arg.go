package symbols

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// An Arg is an argument of a call on an ABI, with the names of the argument and of its
// values. It is comparable. The zero Arg has no names.
type Arg struct {
	abi   arch.ABI
	call  syscalltables.Call
	index int
	kind  Kind
	set   uint8 // of the constants
}

// At returns an argument of a call, counted from 0. An argument that the call does not
// have has nothing but its index.
func At(a arch.ABI, call syscalltables.Call, index int) Arg {
	x := Arg{abi: a, call: call, index: index}
	args := call.Args(a)
	if index < 0 || index >= len(args) {
		return x
	}
	for _, name := range []string{call.Name(), "*"} {
		if i, ok := find(name, args[index]); ok {
			x.kind, x.set = params[i].kind, params[i].set
			return x
		}
	}
	return x
}

// find returns the index of a parameter in params.
func find(call, arg string) (int, bool) {
	return slices.BinarySearchFunc(params[:], arg, func(p param, arg string) int {
		return cmp.Or(cmp.Compare(p.call, call), cmp.Compare(p.arg, arg))
	})
}

// Given returns x for calls in which another argument has the value v. Some arguments
// depend on others: the last of fcntl on the one before it, the protocol of a socket on
// its family. Without Given, x knows only what holds for all values.
func (x Arg) Given(other int, v uint64) Arg {
	args := x.call.Args(x.abi)
	if min(other, x.index) < 0 || max(other, x.index) >= len(args) {
		return x
	}
	call := x.call.Name()
	for i := range special {
		s := &special[i]
		if s.call != call || s.arg != args[x.index] || s.other != args[other] {
			continue
		}
		if n, ok := constants[s.when].value(x.abi); ok && n == v {
			x.kind, x.set = s.kind, s.set
		}
	}
	return x
}

// Name returns the argument's name, such as "arg1" if it is unknown, or "a5" where another
// argument of the call has that name: prctl and keyctl count theirs from 1.
func (x Arg) Name() string {
	args := x.call.Args(x.abi)
	if 0 <= x.index && x.index < len(args) {
		return args[x.index]
	}
	name := "arg" + strconv.Itoa(x.index)
	if slices.Contains(args, name) {
		return "a" + strconv.Itoa(x.index)
	}
	return name
}

// Kind returns the kind of the argument's values.
func (x Arg) Kind() Kind { return x.kind }

// Constants returns the names for values of the argument on its ABI, in the order of the
// table: by meaning, with second names of a value last. It leaves out masks of fields,
// which are not values. The slice is fresh.
func (x Arg) Constants() []Constant {
	var list []Constant
	for i := range x.constants() {
		c := &x.constants()[i]
		v, ok := c.value(x.abi)
		if !ok || c.of == field {
			continue
		}
		k := Constant{c.name, v, v}
		switch c.of {
		case whole:
			k.Mask = ^uint64(0)
		case flag:
		default:
			k.Mask, _ = constants[c.of].value(x.abi)
		}
		list = append(list, k)
	}
	return list
}

// constants returns the rows of the argument's set.
func (x Arg) constants() []constant {
	if x.set == 0 {
		return nil
	}
	return constants[setEnds[x.set-1]:setEnds[x.set]]
}

// A Constant is a name for a value, or for some bits of one.
type Constant struct {
	Name  string
	Value uint64
	// Mask is the bits that the constant is about: all for a whole value, those of
	// Value for a flag, and those of the field that it is a value of, O_ACCMODE for
	// O_RDWR.
	Mask uint64
}

// A Kind is a sort of argument.
type Kind uint8

// The kinds. Unknown means that the tables do not say. A Number counts or measures, or
// fits no other kind; a Pointer is an address, whose target no filter can read; a String
// is a Pointer to text that ends at a NUL; an FD is a file descriptor; a Mode is
// permissions, written in octal; an Enum is one of its constants; Flags are constants
// joined by "|".
const (
	Unknown Kind = iota
	Number
	Pointer
	String
	FD
	Mode
	Enum
	Flags
)

// IsAddress reports whether values of the kind are addresses.
func (k Kind) IsAddress() bool { return k == Pointer || k == String }
