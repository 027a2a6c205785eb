package smt

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/smt"
	"github.com/seccompile/seccompile/proof"
)

// setting returns a number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	s, ok := os.LookupEnv(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 0, 32)
	if err != nil {
		t.Fatalf("%s=%q: not a number", name, s)
	}
	return n
}

// No solver contradicts package proof, and every call that either shows is one on which
// the two sides differ. Solvers may run out of time, but rarely, and never where a policy
// is compared with what the compiler made of it.
//
// SECCOMPILE_SMT says how many pairs to ask about, and SECCOMPILE_SEED the number of the
// first one; a failure logs the number of its pair.
func TestSolversAgree(t *testing.T) {
	judges, seed, count := solvers(t), setting(t, "SECCOMPILE_SEED", 0), setting(t, "SECCOMPILE_SMT", 300)
	groups := [][]kind{programKinds(), policyKinds(), faultKinds()}
	sums := make([][]row, len(groups)) // by group and kind
	for i, kinds := range groups {
		sums[i] = make([]row, len(kinds))
	}
	var mu sync.Mutex // of all sums
	t.Run("pairs", func(t *testing.T) {
		workers := uint64(runtime.GOMAXPROCS(0))
		for worker := range workers {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				for n := seed + worker; n < seed+count && !t.Failed(); n += workers {
					group := n % uint64(len(groups))
					k := n / uint64(len(groups)) % uint64(len(groups[group]))
					got := judge(t, n, &groups[group][k], judges)
					mu.Lock()
					sums[group][k].add(&got)
					mu.Unlock()
				}
			})
		}
	})
	report(t, groups, sums, judges)
	for i := range judges {
		for k := range sums[1] { // of policies
			if late := sums[1][k].late[i]; late > 0 {
				t.Errorf("%s runs out of time on %d of %q", judges[i].name, late, groups[1][k].name)
			}
		}
	}
}

// report logs a table and fails the test if a solver runs out of time too often.
func report(t *testing.T, groups [][]kind, sums [][]row, judges []solver) {
	t.Helper()
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "pairs\tsame\tdifferent\tunknown\tto Walk\tz3 too slow\tcvc5 too slow\tproof s\tz3 s\tcvc5 s\t  kind")
	var total row
	for i, kinds := range groups {
		for k := range kinds {
			fmt.Fprintf(w, "%v\t  %s\n", &sums[i][k], kinds[k].name)
			total.add(&sums[i][k])
		}
	}
	fmt.Fprintf(w, "%v\t  all\n", &total)
	w.Flush()
	t.Log("\n" + table.String())
	for i := range judges {
		if late := total.late[i]; late*100 > total.pairs*3 {
			t.Errorf("%s runs out of time on %d of %d pairs, want at most 3 %%", judges[i].name, late, total.pairs)
		}
	}
}

// judge draws the pair with a number, asks everybody about it, and returns what to count.
func judge(t *testing.T, number uint64, k *kind, judges []solver) row {
	t.Helper()
	r := gen.New(number)
	p := k.draw(t, r)
	for p == nil && !t.Failed() {
		p = k.draw(t, r)
	}
	if p == nil {
		return row{}
	}
	sum := row{pairs: 1}
	start := time.Now()
	verdict := p.verdict(t, &sum)
	sum.proof = time.Since(start)
	var question bytes.Buffer
	if err := smt.Write(&question, p.asked, smt.Program(p.b)); err != nil {
		t.Error(err)
	}
	for i := range judges {
		said, err := judges[i].ask(question.Bytes(), patience)
		if err == nil {
			err = p.contradicts(verdict, &said)
		}
		if err != nil {
			t.Errorf("%s: %v", judges[i].name, err)
		}
		if said.kind == "timeout" {
			sum.late[i]++
			t.Logf("pair %d: %s runs out of time", number, judges[i].name)
		}
		sum.solver[i] = said.spent
	}
	if t.Failed() {
		t.Logf("SECCOMPILE_SEED=%d SECCOMPILE_SMT=1: %s; the second side is\n%s", number, k.name, p.b.Disassemble(nil))
	}
	return sum
}

// verdict returns what package proof says about a pair: the general proof, and the fast one
// where it applies. It fails the test if those two contradict each other or show a call on
// which the sides do not differ.
func (p *pair) verdict(t *testing.T, sum *row) proof.Verdict {
	t.Helper()
	judged := func(r proof.Result, err error) proof.Verdict {
		if err != nil {
			t.Error(err)
		}
		if w := r.Witness; w != nil && p.a.Eval(&w.Call) == p.b.Eval(&w.Call) {
			t.Errorf("not a witness: %v", w)
		}
		return r.Verdict
	}
	verdict := judged(proof.Equal(p.a, proof.Program(p.b), proof.Limits{}))
	sum.verdicts[verdict]++
	if p.policy == nil {
		return verdict
	}
	fast := judged(proof.Walk(p.policy, p.b))
	switch {
	case fast == proof.Unknown:
		sum.walkUnknown++
		return verdict
	case verdict != proof.Unknown && verdict != fast:
		t.Errorf("Equal says %v, Walk says %v", verdict, fast)
	}
	return fast
}

// contradicts returns an error if a solver cannot be right, or the proof is not.
func (p *pair) contradicts(ours proof.Verdict, said *reply) error {
	m := &said.model
	switch a, b := p.a.Eval(&m.call), p.b.Eval(&m.call); {
	case said.kind == "unsat" && ours == proof.Different:
		return fmt.Errorf("unsat, but the sides differ")
	case said.kind != "sat":
		return nil
	case a != m.a || b != m.b || a == b:
		return fmt.Errorf("the model has %v and %v, but running the sides gives %v and %v: %+v", m.a, m.b, a, b, m.call)
	case ours == proof.Same:
		return fmt.Errorf("the proof says that the sides are the same, but they give %v and %v: %+v", a, b, m.call)
	}
	return nil
}

// A row counts pairs.
type row struct {
	pairs       int
	verdicts    [proof.Different + 1]int // of the general proof
	walkUnknown int                      // of the fast one, which is asked about policies
	late        [2]int                   // by solver: out of time
	proof       time.Duration
	solver      [2]time.Duration // of processor time
}

func (r *row) add(o *row) {
	r.pairs += o.pairs
	r.walkUnknown += o.walkUnknown
	r.proof += o.proof
	for i := range o.verdicts {
		r.verdicts[i] += o.verdicts[i]
	}
	for i := range o.late {
		r.late[i] += o.late[i]
		r.solver[i] += o.solver[i]
	}
}

// String returns the cells of a table.
func (r *row) String() string {
	return fmt.Sprintf("%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.0f\t%.0f\t%.0f", r.pairs,
		r.verdicts[proof.Same], r.verdicts[proof.Different], r.verdicts[proof.Unknown], r.walkUnknown,
		r.late[0], r.late[1], r.proof.Seconds(), r.solver[0].Seconds(), r.solver[1].Seconds())
}
