package words

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// An Arg is an argument of a call on an ABI: what it is called and what its values
// are called. It is comparable; of the zero Arg nothing is known.
type Arg struct {
	abi   arch.ABI
	call  syscalltables.Call
	index int
	kind  Kind
	set   uint8 // of the constants
}

// At returns an argument of a call, counted from 0. Of an argument that the call does
// not have nothing is known but its place.
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

// Given returns x as it is when another argument of the call has a value, for what
// some arguments mean depends on others: the last of fcntl on the one before it, the
// protocol of a socket on its family. Of x as [At] returns it only what always holds
// is known.
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

// Name returns the argument's name, "arg1" if it is not known.
func (x Arg) Name() string {
	if args := x.call.Args(x.abi); 0 <= x.index && x.index < len(args) {
		return args[x.index]
	}
	return "arg" + strconv.Itoa(x.index)
}

// Kind says what sort of values the argument has.
func (x Arg) Kind() Kind { return x.kind }

// Constants returns the names for values of the argument on its ABI, in the order of the
// table: by meaning, second names of a value last. Masks of fields, which are no values,
// are not among them. The slice is fresh.
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

// The kinds. Nothing is known of an Unknown one. A Number counts or measures or has no
// other kind; a Pointer is an address, behind which no filter can look; an FD is a
// file descriptor; a Mode is permissions, written in octal; an Enum is one of its
// constants; Flags are constants joined by "|".
const (
	Unknown Kind = iota
	Number
	Pointer
	FD
	Mode
	Enum
	Flags
)
