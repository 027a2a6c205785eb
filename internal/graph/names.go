package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/syscalltables"
)

// A call is one number of one ABI.
type call struct {
	abi  arch.ABI
	nr   uint32
	call syscalltables.Call
	held uint32 // the number as the tree has it, which may have lost the x32 bit
}

// callsOf returns the calls of some ABIs by ABI and number: all, or those of one
// name.
func callsOf(abis []arch.ABI, name string) []call {
	var calls []call
	for _, a := range abis {
		for nr, c := range syscalltables.All(a) {
			if name == "" || c.Name() == name {
				calls = append(calls, call{a, nr, c, nr})
			}
		}
	}
	return calls
}

// abis returns the ABIs of a set of calls.
func (b *builder) abis(set []bool) []arch.ABI {
	var abis []arch.ABI
	for i, c := range b.calls {
		if set[i] && !slices.Contains(abis, c.abi) {
			abis = append(abis, c.abi)
		}
	}
	return abis
}

// runs names a set of calls: those in a row of their table are "read…fstat (6)".
// Where the calls that get here are of several ABIs, those but the first are
// named: "x32: ioctl".
func (b *builder) runs(set, from []bool) []string {
	abis := b.abis(from)
	var words []string
	for i := 0; i < len(b.calls); i++ {
		if !set[i] {
			continue
		}
		last := i
		for last+1 < len(b.calls) && set[last+1] && b.calls[last+1].abi == b.calls[i].abi {
			last++
		}
		word := b.calls[i].call.Name()
		switch n := last - i + 1; {
		case n == 2:
			word += ", " + b.calls[last].call.Name()
		case n > 2:
			word += fmt.Sprintf("…%s (%d)", b.calls[last].call.Name(), n)
		}
		if a := b.calls[i].abi; len(abis) > 1 {
			word = a.String() + ": " + word
		}
		words = append(words, word)
		i = last
	}
	return onceNamed(words)
}

// onceNamed takes off "x32: " where the word before has the same.
func onceNamed(words []string) []string {
	var out []string
	last := ""
	for _, w := range words {
		abi, name, ok := strings.Cut(w, ": ")
		if ok && abi == last {
			w = name
		}
		last = abi
		out = append(out, w)
	}
	return out
}

// wrap joins words to lines.
func wrap(words []string, width int) []string {
	var lines []string
	line := ""
	for i, w := range words {
		if i < len(words)-1 {
			w += ","
		}
		if line != "" && len([]rune(line))+1+len([]rune(w)) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// short joins as many words as fit into a label, and says how many do not. A word alone that
// does not fit is cut.
func short(words []string, width int) string {
	for n := len(words); n > 1; n-- {
		label := strings.Join(words[:n], ", ")
		if n < len(words) {
			label += fmt.Sprintf(", … (+%d)", len(words)-n)
		}
		if len([]rune(label)) <= width {
			return label
		}
	}
	word := []rune(strings.Join(words[:min(len(words), 1)], ""))
	if len(word) > width {
		word = append(word[:width-1:width-1], '…')
	}
	if len(words) > 1 {
		return fmt.Sprintf("%s, … (+%d)", string(word), len(words)-1)
	}
	return string(word)
}

// Sizes of labels, in characters.
const (
	listWidth   = 46 // of lists in boxes
	labelWidth  = 30 // of arrows
	valuesWidth = 36 // of arrows with values
	maxLines    = 4  // of argument names
)

// A comparison is a test of some bits of a word, by an operator of C.
type comparison struct {
	op      string
	mask, v uint32
}

// spoken returns the words for a comparison of an argument of a call, "" if there are
// none.
func (b *builder) spoken(c call, w compile.Word, t comparison) string {
	index, hi, ok := w.Arg()
	if b.options.Words == nil || !ok || hi {
		return ""
	}
	return b.options.Words.Test(c.abi.Audit(), c.nr, int(index), t.op, t.mask, t.v)
}

// named prints a value of a word, by its name if all calls that get to its test have
// the same for it.
func (b *builder) named(w compile.Word, v uint32, set []bool) string {
	const is = " == "
	name := ""
	for i, c := range b.calls {
		if !set[i] {
			continue
		}
		_, n, ok := strings.Cut(b.spoken(c, w, comparison{strings.TrimSpace(is), 1<<32 - 1, v}), is)
		if !ok || name != "" && n != name {
			return value(w, v)
		}
		name = n
	}
	return cmp.Or(name, value(w, v))
}

// words explains a word of seccomp_data, or a test of it, for the calls that get there.
func (b *builder) words(w compile.Word, set []bool, t *comparison) []string {
	switch w {
	case compile.Arch:
		return nil
	case compile.NR:
		var names []string
		for _, a := range b.abis(set) {
			names = append(names, a.String())
		}
		return names
	}
	index, _, _ := w.Arg()
	var lines []string
	for i, c := range b.calls {
		if !set[i] {
			continue
		}
		line := c.call.Name()
		spoken := ""
		if t != nil {
			spoken = b.spoken(c, w, *t)
		}
		if args := c.call.Args(c.abi); spoken != "" {
			line += " " + spoken
		} else if int(index) < len(args) {
			line += " " + args[index]
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if n := len(lines); n > maxLines {
		lines = append(lines[:maxLines-1], fmt.Sprintf("… (%d calls)", n))
	}
	var folded []string
	for _, line := range lines {
		folded = append(folded, fold(line)...)
	}
	return folded
}

// fold breaks a line that is too long for a box between flags.
func fold(s string) []string {
	var lines []string
	line := ""
	for part := range strings.SplitAfterSeq(s, "|") {
		if line != "" && len(line)+len(part) > listWidth {
			lines = append(lines, line)
			line = ""
		}
		line += part
	}
	return append(lines, line)
}

// number names the call with a number, by the ABIs of the calls that get to its
// test.
func (b *builder) number(k uint32, set []bool) string {
	for _, a := range b.abis(set) {
		if c, ok := syscalltables.ByNumber(a, k); ok {
			return c.Name()
		}
	}
	return ""
}

// value prints a value of a word.
func value(w compile.Word, v uint32) string {
	switch {
	case w == compile.Arch:
		return audit(v)
	case w == compile.NR && v == 1<<32-1:
		return "-1"
	case w == compile.NR && v < arch.X32Bit, v < 10:
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%#x", v)
}

// audit names an AUDIT_ARCH value.
func audit(v uint32) string {
	if a, ok := arch.ByAudit(v, 0); ok {
		return a.String()
	}
	return fmt.Sprintf("%#x", v)
}

// interval prints some values of a word.
func interval(c compile.Case, value func(uint32) string) string {
	switch {
	case c.First == c.Last:
		return value(c.First)
	case c.First == 0:
		return "≤ " + value(c.Last)
	case c.Last == 1<<32-1:
		return "≥ " + value(c.First)
	}
	return value(c.First) + "–" + value(c.Last)
}
