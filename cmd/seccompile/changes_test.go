package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// Of the differences between all pairs of profiles, folding loses nothing and adds nothing: the
// text and the JSON, written out for each ABI, say of every number what the proof says.
func TestFoldedDiffIsWhole(t *testing.T) {
	sides := sidesOf(t, "x86_64,x86,x32")
	folded := 0
	for i, a := range sides {
		for _, b := range sides[:i] {
			v, err := answer.Diff(a, b, false, false, proof.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range v.Headings {
				if len(h.ABIs) > 1 {
					folded++
				}
			}
			want, wantWords := expanded{}, expanded{}
			for i := range v.Changes {
				c := &v.Changes[i]
				when := []any{}
				for _, w := range c.When {
					when = append(when, c.Scope.Conditions(c.Range.First, w))
				}
				if c.Always() {
					when = nil
				}
				want.add(c.Range, c.Title, c.Verdicts(), conditions(t, when), c.More)
				wantWords.add(c.Range, c.Title, c.Verdicts(), strings.TrimSpace(c.WhenText()))
			}
			same(t, a.Name+" and "+b.Name+", JSON", expandJSON(t, v), want)
			same(t, a.Name+" and "+b.Name+", text", expandText(t, v, string(diffText(false, v, false))), wantWords)
		}
	}
	if folded == 0 {
		t.Error("nothing is folded")
	}
}

// sidesOf reads all profiles of testdata that are for these ABIs.
func sidesOf(t *testing.T, abis string) (sides []*answer.Side) {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/profiles/*.json")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d profiles, %v", len(paths), err)
	}
	inputs := []*intake.Input{intake.New(intake.DockerDefault, intake.DockerDefault, preset.Docker())}
	for _, path := range paths {
		data, err := readFile(path)
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, intake.New(path, filepath.Base(path), data))
	}
	for _, in := range inputs {
		s, err := answer.NewSide(&intake.Target{ABIs: strings.Split(abis, ",")}, in)
		if err != nil {
			t.Logf("%s: %v", in.Name, err)
			continue
		}
		sides = append(sides, s)
	}
	if len(sides) < 10 {
		t.Fatalf("%d sides", len(sides))
	}
	if testing.Short() {
		return sides[:len(sides)/3]
	}
	return sides
}

// An expanded is numbers by what is said of them.
type expanded map[string][]policy.Interval

func (w expanded) add(in policy.Interval, what ...any) {
	k := fmt.Sprint(what...)
	w[k] = append(w[k], in)
}

// neighbours sorts intervals, and joins those that touch.
func neighbours(list []policy.Interval) (out []policy.Interval) {
	slices.SortFunc(list, func(a, b policy.Interval) int { return cmp.Compare(a.First, b.First) })
	for _, in := range list {
		if n := len(out); n > 0 && out[n-1].Last+1 == in.First {
			out[n-1].Last = in.Last
		} else {
			out = append(out, in)
		}
	}
	return out
}

func same(t *testing.T, name string, got, want expanded) {
	t.Helper()
	for k, list := range want {
		if g, w := fmt.Sprint(neighbours(got[k])), fmt.Sprint(neighbours(list)); g != w {
			t.Fatalf("%s: %s: %s, want %s", name, k, g, w)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d kinds of changes, want %d", name, len(got), len(want))
	}
}

// conditions writes conditions so that they can be compared.
func conditions(t *testing.T, when any) string {
	t.Helper()
	text, err := json.Marshal(when)
	if err == nil {
		var list any // so that the keys are in one order
		if err = json.Unmarshal(text, &list); err == nil {
			text, err = json.Marshal(list)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// expandJSON is what a document says of each number.
func expandJSON(t *testing.T, v *answer.Difference) expanded {
	t.Helper()
	var doc struct {
		Changes []struct {
			ABIs []struct {
				ABI     string
				Numbers []struct{ First, Last uint32 }
				When    []any
				More    bool
			}
			A, B struct{ Verdict string }
		}
	}
	text, err := answer.Marshal(v.Document())
	if err == nil {
		err = json.Unmarshal(text, &doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := expanded{}
	for _, c := range doc.Changes {
		for _, on := range c.ABIs {
			title := on.ABI
			if title == "" {
				title = "other ABIs"
			}
			when := conditions(t, on.When)
			for _, n := range on.Numbers {
				w.add(policy.Interval{First: n.First, Last: n.Last}, title, [2]string{c.A.Verdict, c.B.Verdict}, when, on.More)
			}
		}
	}
	return w
}

// expandText is what a text says of each number.
func expandText(t *testing.T, v *answer.Difference, text string) expanded {
	t.Helper()
	w := expanded{}
	var on []string // the heading's
	var verdicts [2]string
	block := ""
	_, text, _ = strings.Cut(text, "\nB: ")
	for line := range strings.SplitSeq(text, "\n") {
		rest := strings.TrimLeft(line, " ")
		switch len(line) - len(rest) {
		case 0:
			on = strings.Split(rest, ", ")
			if _, err := arch.Parse(on[0]); err != nil || strings.HasSuffix(rest, "other ABIs") {
				on = []string{rest}
			}
		case 2:
			_, both, _ := strings.Cut(rest, ": ")
			from, to, _ := strings.Cut(both, " in A, ")
			verdicts = [2]string{from, strings.TrimSuffix(to, " in B")}
		case 4:
			if !strings.HasSuffix(block, "|") && block != "" {
				block += " "
			}
			block += rest
		case 6: // the example
			what, when, conditional := strings.Cut(block, " if ")
			if block = ""; conditional {
				when = "if " + when
			}
			for _, title := range on {
				for _, in := range numbersOf(t, v, title, what) {
					w.add(in, title, verdicts, when)
				}
			}
		}
	}
	return w
}

// numbersOf returns the numbers that a text names on an ABI, which may lack some of the calls.
func numbersOf(t *testing.T, v *answer.Difference, title, what string) (list []policy.Interval) {
	t.Helper()
	abi, err := arch.Parse(title)
	if err != nil {
		abi = 0
	}
	if what == answer.EveryCall {
		i := slices.IndexFunc(v.Changes, func(c answer.Change) bool { return c.Title == title })
		return v.Changes[i].Numbers
	}
	for word := range strings.SplitSeq(what, ", ") {
		word = strings.TrimPrefix(strings.TrimPrefix(word, "numbers "), "number ")
		if call, ok := syscalltables.Lookup(word); ok {
			if nr, ok := call.Number(abi); ok {
				list = append(list, policy.Interval{First: nr, Last: nr})
			}
			continue
		}
		first, last, ranged := strings.Cut(word, "-")
		if !ranged {
			last = first
		}
		n, err1 := strconv.ParseUint(first, 0, 32)
		m, err2 := strconv.ParseUint(last, 0, 32)
		if err1 != nil || err2 != nil {
			t.Fatalf("%q is neither a call nor a number", word)
		}
		list = append(list, policy.Interval{First: uint32(n), Last: uint32(m)})
	}
	return list
}
