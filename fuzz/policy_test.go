package fuzz

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/fuzz/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

var efforts = []compiler.Effort{compiler.Fast, compiler.Exhaustive}

// drawPolicy draws a policy and options, and resolves them; nil if they are
// refused.
func drawPolicy(t testing.TB, r *rand.Rand, entries int) *policy.Resolved {
	t.Helper()
	o := gen.ResolveOptions(r)
	res, _, err := policy.Resolve(gen.Policy(r, gen.Options{
		ABIs:    o.ABIs,
		Family:  gen.Family(r.IntN(3)),
		Entries: entries,
		Invalid: r.IntN(8) == 0,
	}), o)
	var problems policy.Errors
	if err != nil && !errors.As(err, &problems) {
		t.Errorf("Resolve: %v is no policy.Errors", err)
	}
	if err != nil {
		return nil
	}
	return res
}

// proved compiles a policy and proves the program equal to it: that is the law.
// It reports false for policies that no program of 4096 instructions fits.
func proved(t testing.TB, res *policy.Resolved, effort compiler.Effort) (proof.Report, bool) {
	t.Helper()
	c, err := compiler.Compile(res, compiler.Options{Effort: effort})
	var tooLong *compiler.TooLongError
	if errors.As(err, &tooLong) {
		return proof.Report{}, false
	}
	if err != nil {
		t.Errorf("Compile: %v", err)
		return proof.Report{}, false
	}
	report, err := proof.Check(proof.Policy(res), c.Program, proof.Limits{})
	switch {
	case err != nil:
		t.Error(err)
	case report.Verdict == proof.Different:
		t.Errorf("effort %d: %v", effort, report.Witness)
	case report.Verdict == proof.Unknown && !crowded(res):
		t.Errorf("effort %d: not proved: %s", effort, report.Reason)
	}
	for _, f := range report.Findings {
		if f.Kind == proof.Refused || f.Kind == proof.TooFast {
			t.Errorf("effort %d: %v", effort, f)
		}
	}
	return report, true
}

// crowded reports whether some call has so many clauses, or conditions on several
// arguments, that the proof may hit its limits.
func crowded(res *policy.Resolved) bool {
	for _, s := range res.Spaces {
		for _, c := range s.Calls {
			conds := 0
			for i := range c.Clauses {
				conds += len(c.Clauses[i].Conds)
			}
			if len(c.Clauses) > 12 || conds >= 20 {
				return true
			}
		}
	}
	return false
}

func FuzzPolicy(f *testing.F) {
	for seed := range uint64(24) {
		r := gen.New(seed)
		data := make([]byte, 16<<r.IntN(5))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data, uint8(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte, entries uint8) {
		res := drawPolicy(t, gen.FromBytes(data), 1+int(entries%16))
		if res == nil {
			return
		}
		for _, effort := range efforts {
			proved(t, res, effort)
		}
	})
}

// TestTenThousandRandomPoliciesAreProved also counts the faults that do not
// change the meaning. On hostile policies the compiler may leave some, but few.
func TestTenThousandRandomPoliciesAreProved(t *testing.T) {
	const shards = 4
	want := 10000 / shards
	if testing.Short() {
		want = 500 / shards
	}
	for shard := range uint64(shards) {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			done, unknown, faulty, slow := 0, 0, 0, 0
			for seed := shard << 32; done < want && !t.Failed(); seed++ {
				r := gen.New(seed)
				res := drawPolicy(t, r, 1+r.IntN(8))
				if res == nil {
					continue
				}
				report, ok := proved(t, res, compiler.Fast)
				if !ok {
					continue
				}
				if report.Verdict != proof.Same {
					unknown++ // a limit was hit: it does not count
					continue
				}
				done++
				if len(report.Findings) > 0 {
					faulty++
					t.Logf("seed %#x: %v", seed, report.Findings[0])
				}
				if slices.ContainsFunc(report.Findings, func(f proof.Finding) bool { return f.Kind == proof.Slow }) {
					slow++
				}
			}
			t.Logf("%d policies proved, %d more not for size; %d with findings, %d of them miss the bitmap", done, unknown, faulty, slow)
			if unknown > 1+done/100 || faulty > 1+done/50 || slow > 0 {
				t.Errorf("too many")
			}
		})
	}
}
