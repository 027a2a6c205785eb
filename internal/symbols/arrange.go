package symbols

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/syscalltables"
)

// Arrange returns the values of a call's arguments in their order. Each of args is a value,
// which stands at its place in the list, or NAME=VALUE, in any order; those left out before
// the last are "0". A last "..." stands for all that follow, which are [Unseen].
func Arrange(a arch.ABI, nr uint32, args []string) ([]string, error) {
	call, _ := syscalltables.ByNumber(a, nr)
	elided := len(args) > 0 && args[len(args)-1] == elision
	if elided {
		args = args[:len(args)-1]
	}
	if len(args) > maxArgs {
		return nil, fmt.Errorf("symbols: a system call has at most %d arguments, not %d", maxArgs, len(args))
	}
	var values [maxArgs]string
	n := 0
	for place, text := range args {
		name, value, named := strings.Cut(text, "=")
		if !named {
			value = text
		} else if place = placeOf(a, call, strings.TrimSpace(name)); place < 0 {
			return nil, unknownArg(a, call, nr, strings.TrimSpace(name))
		}
		if values[place] != "" {
			return nil, fmt.Errorf("symbols: %s: %s has a value twice", callName(call, nr), At(a, call, place).Name())
		}
		if values[place] = strings.TrimSpace(value); values[place] == "" {
			return nil, fmt.Errorf("symbols: %s: %s has no value", callName(call, nr), At(a, call, place).Name())
		}
		n = max(n, place+1)
	}
	if elided {
		if n = len(call.Args(a)); n == 0 {
			n = maxArgs
		}
		n = max(n, len(args))
		for i := range n {
			values[i] = cmp.Or(values[i], Unseen)
		}
	}
	list := values[:n]
	for i := range list {
		if list[i] == "" {
			list[i] = "0"
		}
	}
	return list, nil
}

// maxArgs is how many arguments a filter sees.
const maxArgs = 6

// placeOf returns which argument of a call has a name, -1 if none has.
func placeOf(a arch.ABI, call syscalltables.Call, name string) int {
	for i := range maxArgs {
		if At(a, call, i).Name() == name {
			return i
		}
	}
	return -1
}

func unknownArg(a arch.ABI, call syscalltables.Call, nr uint32, name string) error {
	known := call.Args(a)
	if near := unknown.Nearest(name, known); near != "" {
		return fmt.Errorf("symbols: %s has no argument %q (did you mean %s?)", callName(call, nr), name, near)
	}
	if len(known) == 0 {
		return fmt.Errorf("symbols: %s has no argument %q (leave its name out: the place counts)", callName(call, nr), name)
	}
	return fmt.Errorf("symbols: %s has no argument %q (it has %s)", callName(call, nr), name, strings.Join(known, ", "))
}
