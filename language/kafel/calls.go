package kafel

import (
	_ "embed"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/unknown"
)

//go:embed calls.tsv
var callsTable string

// A call is one that kafel has on an ABI.
type call struct {
	name   string // in Linux; "" if Linux no longer has the call
	number uint32 // then
	args   []argument
}

// An argument is one that conditions can name.
type argument struct {
	name string
	wide bool // has 64 bits on 64-bit ABIs
}

// known are the ABIs of the table.
var known = [...]arch.ABI{arch.X86_64, arch.X86, arch.ARM, arch.AArch64, arch.RISCV64}

// readCalls returns the calls that kafel has on some ABIs, by their names.
func readCalls(abis []arch.ABI) map[arch.ABI]map[string]*call {
	calls := make(map[arch.ABI]map[string]*call)
	for _, a := range abis {
		calls[a] = make(map[string]*call)
	}
	for line := range strings.Lines(callsTable) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if line[0] == '#' || len(f) != 4 {
			continue
		}
		c := &call{name: f[0]}
		if n, err := strconv.ParseUint(f[2], 10, 32); err == nil {
			c.name, c.number = "", uint32(n)
		} else if f[2] != "-" {
			c.name = f[2]
		}
		if f[3] != "-" {
			for word := range strings.SplitSeq(f[3], ",") {
				name, short := strings.CutSuffix(word, ":32")
				c.args = append(c.args, argument{name, !short})
			}
		}
		for _, a := range abis {
			if f[1] == "all" || slices.Contains(strings.Split(f[1], ","), a.String()) {
				calls[a][f[0]] = c
			}
		}
	}
	return calls
}

// lacks says what is wrong with a name that kafel does not have on some ABIs.
func (r *reader) lacks(name string, abis []arch.ABI) string {
	var list []string
	for _, a := range abis {
		list = append(list, a.String())
	}
	text := unknown.Quote(name) + ": kafel has no such call on " + strings.Join(list, ", ")
	if r.hints == maxHints {
		return text
	}
	r.hints++
	own := r.calls[abis[0]]
	for _, mine := range slices.Sorted(maps.Keys(own)) {
		if own[mine].name == name { // Linux's name of it
			return text + unknown.DidYouMean(mine)
		}
	}
	var others []string
	for _, a := range r.targets {
		if r.calls[a][name] != nil {
			others = append(others, a.String())
		}
	}
	if len(others) > 0 {
		return text + " (limit the rule to the others: " + name + " ON { " + strings.Join(others, ", ") + " })"
	}
	if near := unknown.Nearest(name, slices.Sorted(maps.Keys(own))); near != "" {
		return text + unknown.DidYouMean(near)
	}
	return text + " (leave it out, or give its number: SYSCALL[NUMBER])"
}

// noArgument says what is wrong with the name of an argument.
func noArgument(name, call string, args []argument) string {
	var list []string
	for _, a := range args {
		list = append(list, a.name)
	}
	text := unknown.Quote(name) + ": neither a constant nor an argument of " + call
	switch near := unknown.Nearest(name, list); {
	case near != "":
		return text + unknown.DidYouMean(near)
	case len(list) > 0:
		return text + " (it has " + strings.Join(list, ", ") + ")"
	}
	return text + " (name the arguments: " + call + "(" + name + "))"
}
