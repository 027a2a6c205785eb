package conformance

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/peers"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// libseccomp gives the calls of the table of verdicts their verdict, as far as this release
// can answer and implements its own rules.
func TestVectors(t *testing.T) {
	const dir = "../testdata/vectors/"
	table, err := os.ReadFile(dir + "verdicts.tsv")
	if err != nil {
		t.Fatal(err)
	}
	type group struct{ profile, targets string }
	oracles := map[group]*vectorOracle{}
	tally := map[string]int{}
	for line := range strings.Lines(string(table)) {
		row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if row[0][0] == '#' || row[2] != oci.Runc || row[3] != "-" || row[4] == "-" {
			continue
		}
		g := group{row[1], row[4]}
		o := oracles[g]
		if o == nil {
			o = askVectors(t, dir+"profiles/"+g.profile+".json", g.targets)
			oracles[g] = o
		}
		tally[o.check(t, row)]++
	}
	for _, what := range slices.Sorted(maps.Keys(tally)) {
		t.Logf("%5d %s", tally[what], what)
	}
	if tally["agree"] < 5000 || tally["both refuse"] < 10 {
		t.Errorf("%d rows agree, %d are refused by both: want 5000 and 10", tally["agree"], tally["both refuse"])
	}
}

// A vectorOracle is what libseccomp says about a profile of the table, or why it is not asked.
type vectorOracle struct {
	oracle
	skip  string
	meant *policy.Resolved
	err   error
}

func askVectors(t *testing.T, file, targets string) *vectorOracle {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var o vectorOracle
	for name := range strings.SplitSeq(targets, ",") {
		a, err := arch.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		o.abis = append(o.abis, a)
	}
	reading, err := oci.Language{}.Read(language.NewSource(text), policy.Target{ABI: o.abis[0]})
	if err != nil {
		o.skip = "not asked: refused when it is read"
		return &o
	}
	o.policy = reading.Policy
	if o.skip = cannotAnswer(o.policy, o.abis); o.skip != "" {
		return &o
	}
	o.meant, _, _ = policy.Resolve(o.policy, policy.Options{ABIs: o.abis}) // nil for contradictions
	o.compiler, o.alone = peers.Libseccomp{}, map[key]*cbpf.Program{}
	o.program, o.err = o.compiler.Compile(spec(t, o.policy), o.abis)
	return &o
}

// cannotAnswer says why libseccomp is not asked about a profile, "" if it is.
func cannotAnswer(p *policy.Policy, abis []arch.ABI) string {
	if slices.ContainsFunc(abis, func(a arch.ABI) bool { return !scmp.Supports(a) }) {
		return "not asked: it does not know the ABI"
	}
	const most = 4094 // as representable has it
	if p.DefaultErrno != nil && *p.DefaultErrno > most {
		return "not asked: it takes errors up to 4094"
	}
	for _, rule := range p.Rules {
		if rule.Errno != nil && *rule.Errno > most {
			return "not asked: it takes errors up to 4094"
		}
		for _, arg := range rule.Args {
			if arg.Op == policy.MaskedEqual && arg.ValueTwo&^arg.Value != 0 && strings.HasPrefix(scmp.Version(), "2.5.") {
				return "not asked: before 2.6 it never matches a datum with bits outside of its mask"
			}
		}
		for _, name := range rule.Names {
			call, _ := syscalltables.Lookup(name)
			for _, a := range abis {
				if !agreed(a, name) {
					return "not asked: it has another number for a name"
				}
				if _, _, muxed := call.Multiplexed(a); muxed && !p.Default.Permits(cbpf.WithTracer) {
					return "not asked: runc's bound does not count multiplexed names"
				}
			}
		}
	}
	return ""
}

// check compares a row and says what became of it.
func (o *vectorOracle) check(t *testing.T, row []string) string {
	t.Helper()
	switch {
	case o.skip != "":
		return o.skip
	case row[9] == "REFUSED" && o.err != nil:
		return "both refuse"
	case errors.Is(o.err, syscall.EEXIST):
		return "not asked: it sees a contradiction where there is an order"
	case row[9] == "REFUSED" || o.err != nil:
		t.Errorf("%s: libseccomp: %v", strings.Join(row, " "), o.err)
		return "differ"
	}
	d := callOfRow(t, row)
	if clauses := o.meant.Clauses(d.Arch, d.NR); !implemented(clauses) || tie(o.meant, d) {
		return "not asked: outside of the families in which it does what its rules say"
	}
	if o.program.Eval(d).String() == row[9] {
		return "agree"
	}
	if got := o.verdict(t, d); got.String() != row[9] {
		t.Errorf("%s: libseccomp: %v", strings.Join(row, " "), got)
		return "differ"
	}
	return "agree, though the program for all calls is wrong"
}

// implemented reports whether rules on one call are of a family that libseccomp implements:
// EQ and MASKED_EQ on any arguments, or any operators on one argument whose values share the
// upper half, with one action.
func implemented(clauses []policy.Clause) bool {
	equal, one := true, true
	for _, c := range clauses {
		for _, cond := range c.Conds {
			first := clauses[0].Conds[0]
			equal = equal && (cond.Op == policy.Equal || cond.Op == policy.MaskedEqual)
			one = one && len(c.Conds) == 1 && cond.Arg == first.Arg && cond.Value>>32 == first.Value>>32
		}
		one = one && c.Action == clauses[0].Action
	}
	return equal || one
}

func callOfRow(t *testing.T, row []string) *cbpf.Data {
	t.Helper()
	parse := func(s string) uint64 {
		n, err := strconv.ParseUint(s, 0, 64)
		if err != nil {
			t.Fatalf("%s: %v", strings.Join(row, " "), err)
		}
		return n
	}
	d := &cbpf.Data{Arch: uint32(parse(row[6])), NR: uint32(parse(row[7]))}
	if row[8] != "-" {
		for i, s := range strings.Split(row[8], ",") {
			d.Args[i] = parse(s)
		}
	}
	return d
}
