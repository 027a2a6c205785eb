package bionic

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// A reader is one run of Read.
type reader struct {
	top  *language.Source
	abis []arch.ABI

	base, allowed, blocked, first []entry
	has                           map[key]bool // what rules allow

	entries, hints, warned int // of their limits
	stopped                bool
	problems               policy.Errors
	warnings               []policy.Warning
}

// Limits on what lists can make a reader do. bionic's have some 400 lines together.
const (
	maxEntries = 1 << 16
	maxReports = 1000 // problems, and warnings
	maxHints   = 32   // names for which a near one is looked for
)

// An entry is a call that a line names for some ABIs.
type entry struct {
	name  string
	abis  []arch.ABI
	place string
}

// A key is a call of bionic's on an ABI.
type key struct {
	name string
	abi  arch.ABI
}

// lines calls f for all lines of a text but comments and empty ones.
func (r *reader) lines(s *language.Source, f func(line, place string)) {
	n := 0
	for text := range strings.Lines(string(s.Data())) {
		n++
		line := strings.TrimSpace(text)
		if line == "" || line[0] == '#' || r.stopped {
			continue
		}
		place := s.Place(n, 1+strings.Index(text, line))
		if r.entries++; r.entries > maxEntries {
			r.stop(place, "more than "+strconv.Itoa(maxEntries)+" lines up to here (no ABI has so many calls)")
			return
		}
		f(line, place)
	}
}

// list reads a list of calls.
func (r *reader) list(s *language.Source) (all []entry) {
	r.lines(s, func(line, place string) {
		if e, problem := parse(line); problem != "" {
			r.fail(place, problem)
		} else {
			e.place = place
			all = append(all, e)
		}
	})
	return all
}

// parse reads a line: RETURN_TYPE FUNCTION[|ALIAS,...][:CALL[:ID]](PARAMETERS) ARCHITECTURES
func parse(line string) (e entry, problem string) {
	left, right := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if left < 0 {
		return e, "no parameters (write TYPE NAME(PARAMETERS) and the architectures)"
	}
	if right < left {
		return e, "nothing closes the parameters (write ) behind them)"
	}
	words := strings.Fields(line[:left])
	if len(words) < 2 {
		return e, "no type in front of the name (write TYPE NAME(PARAMETERS) and the architectures)"
	}
	parts := strings.Split(words[len(words)-1], ":")
	if len(parts) > 1 && slices.Contains(parts, "") {
		return e, "a colon with nothing on one side (write FUNCTION:CALL)"
	}
	e.name = parts[min(1, len(parts)-1)]
	if len(parts) > 2 {
		if _, err := strconv.Atoi(strings.Join(parts[2:], ":")); err != nil {
			return e, unknown.Quote(strings.Join(parts[2:], ":")) + ": behind a second colon is the number of a socketcall (write one, or leave it out)"
		}
	}
	if i := strings.IndexByte(e.name, '|'); i > 0 { // the names of the same function
		e.name = e.name[:i]
	}
	e.abis, problem = architectures(strings.TrimSpace(line[right+1:]))
	return e, problem
}

// architectures reads the ABIs of a line.
func architectures(text string) (abis []arch.ABI, problem string) {
	if text == "" {
		return nil, "no architectures behind the parameters (write all, or some of arm, arm64, riscv64, x86, x86_64, lp32, lp64)"
	}
	for word := range strings.SplitSeq(text, ",") {
		found := false
		for _, x := range supported {
			wide := strings.Contains(x.name, "64")
			if word == x.name || word == "lp64" && wide || word == "lp32" && !wide || text == "all" {
				found = true
				if !slices.Contains(abis, x.abi) {
					abis = append(abis, x.abi)
				}
			}
		}
		if !found {
			cure := unknown.DidYouMean(unknown.Nearest(word, []string{"all", "arm", "arm64", "riscv64", "x86", "x86_64", "lp32", "lp64"}))
			switch {
			case word != strings.TrimSpace(word):
				cure = " (write no space between architectures)"
			case word == "aarch64":
				cure = " (write arm64)"
			case word == "all":
				cure = " (write all alone)"
			case cure == "" || word == "mips" || word == "mips64":
				cure = " (use all, or some of arm, arm64, riscv64, x86, x86_64, lp32, lp64)"
			}
			return nil, unknown.Quote(word) + ": bionic has no such architecture" + cure
		}
	}
	return abis, ""
}

// priorities reads the calls to test first, one a line.
func (r *reader) priorities(s *language.Source) {
	r.lines(s, func(line, place string) {
		if len(line) > 1 && isName(line) {
			r.first = append(r.first, entry{name: line, place: place})
		} else {
			r.warn(policy.Ignored, place, unknown.Quote(line)+": not the name of a call alone, so the line has no effect")
		}
	})
}

func isName(s string) bool {
	for i, c := range []byte(s) {
		if !(c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && '0' <= c && c <= '9') {
			return false
		}
	}
	return true
}
