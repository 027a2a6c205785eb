package symbols

import (
	"iter"

	"github.com/seccompile/seccompile/arch"
)

// Constants yields the names and values of all constants that an ABI has. Values are those
// of an int or a long: negative ones have no upper half of their own. Some come twice, with
// the same value.
func Constants(a arch.ABI) iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for i := range constants {
			c := &constants[i]
			if n := c.number(a); n != absent && isName(c.name) && !yield(c.name, n) {
				return
			}
		}
	}
}
