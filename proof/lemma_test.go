package proof

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// atCall returns a walker that knows nothing of the arguments of a call with nine rules.
func atCall(t *testing.T) *walker {
	call := policy.Call{NR: 1, ABI: arch.X86_64}
	for i := range uint64(9) {
		call.Clauses = append(call.Clauses, policy.Clause{Action: cbpf.Allow, Conds: []policy.Cond{
			{Arg: 0, Op: policy.LessEqual, Mask: math.MaxUint64, Value: 1<<32 + i},
			{Arg: 1, Op: policy.MaskedEqual, Mask: 7, Value: 5},
		}})
	}
	res := &policy.Resolved{Spaces: []policy.Space{{Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64}, Calls: []policy.Call{call}}}}
	p, err := naive(res)
	if err != nil {
		t.Fatal(err)
	}
	w := newWalker(res, p, maxSteps)
	w.forget()
	w.goal.numbers = w.piecesOf(&res.Spaces[0])
	if !w.enter(&w.goal.numbers[1]) || len(w.goal.live) != 9 {
		t.Fatal(w.goal)
	}
	return w
}

// Whatever decides what is left to prove is in the key of a state.
func TestStatesThatDifferHaveDifferentKeys(t *testing.T) {
	const upper0, lower0, lower1 = wordArgs, wordArgs + 1, wordArgs + 3
	type assumption struct {
		word int
		test test
	}
	seen := map[string][]assumption{}
	for _, assumptions := range [][]assumption{
		nil,
		{{upper0, test{bitsAre, math.MaxUint32, 0}}},                                                                   // all of argument 0 hold
		{{upper0, test{bitsAre, math.MaxUint32, 1}}},                                                                   // its lower half decides
		{{lower0, test{op: atLeast, value: 9}}},                                                                        // its upper half decides
		{{lower0, test{op: atLeast, value: 5}}},                                                                        // for some of the rules
		{{upper0, test{op: lessThan, value: 2}}},                                                                       //
		{{lower1, test{bitsAre, 1, 1}}},                                                                                // the rest of argument 1 is open
		{{lower1, test{bitsAre, 3, 1}}},                                                                                //
		{{lower1, test{bitsAre, 7, 5}}},                                                                                // it holds
		{{lower1, test{bitsAreNot, 3, 3}}},                                                                             // a hole
		{{lower1, test{bitsAreNot, 6, 6}}},                                                                             // another one
		{{lower1, test{op: lessThan, value: 8}}},                                                                       // an interval
		{{lower1, test{op: lessThan, value: 8}}, {lower1, test{bitsAreNot, math.MaxUint32, 3}}},                        // with a hole
		{{upper0, test{bitsAre, math.MaxUint32, 0}}, {lower1, test{bitsAre, 7, 5}}},                                    // the first rule decides
		{{lower0, test{bitsAre, 1 << 31, 0}}, {lower0, test{bitsAre, 1, 1}}},                                           // interval and bits
		{{lower0, test{op: lessThan, value: 1 << 31}}, {lower0, test{op: atLeast, value: 1}}},                          // an interval with such ends
		{{lower0, test{op: lessThan, value: 1<<31 - 2}}, {lower0, test{bitsAre, 1, 1}}},                                //
		{{lower0, test{op: lessThan, value: 1<<31 - 2}}, {lower0, test{op: atLeast, value: 1}}},                        //
		{{lower0, test{bitsAre, 3, 1}}, {lower0, test{op: lessThan, value: 1 << 31}}},                                  //
		{{lower0, test{bitsAre, 1, 1}}, {lower0, test{op: lessThan, value: 1<<31 - 2}}, {lower1, test{bitsAre, 1, 0}}}, // the bits of argument 1 fail
	} {
		w := atCall(t)
		for _, a := range assumptions {
			if !w.assume(a.word, a.test) {
				t.Fatal(a)
			}
		}
		key, _ := w.exactKey(len(w.at)-1, acc{word: noWord})
		text := fmt.Sprint(key)
		if before, ok := seen[text]; ok {
			t.Errorf("%v: the key of %v", assumptions, before)
		}
		seen[text] = assumptions
	}
}

// A key says how many facts are in it, so that none is read as a hole, whatever its numbers.
func TestKeysAreReadInOneWayOnly(t *testing.T) {
	facts, holes := atCall(t), atCall(t)
	facts.goal.live, holes.goal.live = nil, nil
	for word := wordArgs; word < wordArgs+3; word++ {
		n := uint32(word)
		facts.of[word] = fact{n, n, n, n}
	}
	holes.holes = []hole{{4, 4, 4}, {4, 4, 5}, {5, 5, 5}, {5, 6, 6}, {6, 6, 6}}
	a, _ := facts.exactKey(0, acc{word: noWord})
	b, _ := holes.exactKey(0, acc{word: noWord})
	if len(a) != len(b) || slices.Equal(a, b) {
		t.Errorf("%v and %v: want keys that differ in one number", a, b)
	}
}

// What a lemma grants of a clause is not granted of the next one.
func TestNarrowingKeepsWhatIsGrantedToTheirClause(t *testing.T) {
	w := atCall(t)
	w.goal.granted = grantUpper // of argument 0: the lower half decides
	w.assume(wordArgs+1, test{op: atLeast, value: 3})
	w.assume(wordArgs, test{bitsAre, math.MaxUint32, 1})
	w.narrow()
	if want := []int32{3, 4, 5, 6, 7, 8}; !slices.Equal(w.goal.live, want) || w.goal.granted != grantNothing {
		t.Errorf("live %v, granted %#x", w.goal.live, w.goal.granted)
	}
	w = atCall(t)
	w.goal.granted = grantUpper
	if w.narrow(); len(w.goal.live) != 9 || w.goal.granted != grantUpper {
		t.Errorf("live %v, granted %#x", w.goal.live, w.goal.granted)
	}
}
