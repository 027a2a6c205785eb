package languages

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// corpus returns the directory with the policies of a language and what its own tool made
// of them. It is not in the repository; without it there is nothing to compare with.
func corpus(t *testing.T, name string) string {
	root := os.Getenv("SECCOMPILE_POLICIES")
	if root == "" {
		t.Skip("SECCOMPILE_POLICIES does not name the directory with policies and their tools' filters")
	}
	return filepath.Join(root, name)
}

func load(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func decode(t *testing.T, file string) *cbpf.Program {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := cbpf.Decode(data, binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A built is our filter for a policy, and how we came to it.
type built struct {
	reading  language.Reading
	resolved *policy.Resolved
	program  *cbpf.Program
}

// build reads a policy in a file below a root for one ABI and compiles it for that and
// others. The error is that of the reader; everything later has to work.
func build(t *testing.T, l language.Language, root, file string, a arch.ABI, weighted bool, others ...arch.ABI) (b built, err error) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	s := language.NewSource(data).In(os.DirFS(root), file)
	if b.reading, err = l.Read(s, policy.Target{ABI: a}); err != nil {
		return b, err
	}
	if b.resolved, _, err = policy.Resolve(b.reading.Policy, policy.Options{ABIs: append([]arch.ABI{a}, others...)}); err != nil {
		t.Errorf("%s: %v", file, err)
		return b, err
	}
	o := compiler.Options{}
	if weighted {
		o.Weights = b.reading.Frequencies
	}
	b.program, _, err = compiler.Compile(b.resolved, o)
	if err != nil {
		t.Errorf("%s: %v", file, err)
	}
	return b, err
}

// A row sums up what a set of policies came to.
type row struct {
	set     string
	files   int
	equal   int // by proof
	refused int // by both sides
	held    int // no bytes are given: compared with a second reading
	read    int // no bytes are given, and the second reading does not know them
	differ  int
	unlike  int // one side refuses
	theirs  int // instructions of what both sides read
	ours    int
	guard   *cbpf.Program // kills calls that cannot happen, on both sides; nil: none
}

// A verdict is what a language's own tool made of a policy.
type verdict struct {
	program *cbpf.Program // nil if it is not given
	length  int           // in instructions; 0 if the tool refused, or the kernel did
	reason  string        // why
}

// judge compares one policy's filter with its tool's, and with a second reading where there
// is one.
func (r *row) judge(t *testing.T, l language.Language, root, file string, a arch.ABI, v verdict, again func(built), others ...arch.ABI) {
	t.Helper()
	b, err := build(t, l, root, file, a, false, others...)
	r.settle(t, file, b, err, v, again)
}

// settle compares what we made of a policy with what its tool made.
func (r *row) settle(t *testing.T, file string, b built, err error, v verdict, again func(built)) {
	t.Helper()
	r.files++
	if err == nil && v.length > 0 {
		r.theirs += v.length
		r.ours += b.program.Len()
		if again != nil {
			again(b)
		}
	}
	switch {
	case err != nil && v.length == 0:
		r.refused++
	case err != nil:
		r.unlike++
		t.Errorf("%s: %s: only we refuse it: %v", r.set, file, err)
	case v.length == 0:
		r.unlike++
		t.Errorf("%s: %s: only its tool refuses it: %s", r.set, file, v.reason)
	case v.program == nil:
		if again != nil {
			r.held++
		} else {
			r.read++
		}
	default:
		theirs, ours := proof.Program(v.program), proof.Program(b.program)
		if r.guard != nil {
			guard := proof.Program(r.guard)
			theirs, ours = proof.Stack(theirs, guard), proof.Stack(ours, guard)
		}
		answer, err := proof.Equal(theirs, ours, proof.Limits{})
		if err != nil || answer.Verdict != proof.Same {
			r.differ++
			t.Errorf("%s: %s: %v %+v %v", r.set, file, answer.Verdict, answer.Witness, err)
			return
		}
		r.equal++
	}
}

func (r *row) add(other row) {
	r.files += other.files
	r.equal += other.equal
	r.refused += other.refused
	r.held += other.held
	r.read += other.read
	r.differ += other.differ
	r.unlike += other.unlike
	r.theirs += other.theirs
	r.ours += other.ours
}

// table writes rows and fails if ours are longer in sum.
func table(t *testing.T, rows []row) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%-28s %6s %6s %8s %6s %5s %7s %9s %12s %8s\n", "set", "files", "equal", "refused", "held", "read", "differ", "one side", "theirs", "ours")
	var all row
	all.set = "all"
	for _, r := range rows {
		all.add(r)
		if r.ours > r.theirs {
			t.Errorf("%s: ours are longer", r.set)
		}
	}
	for _, r := range append(rows, all) {
		fmt.Fprintf(&b, "%-28s %6d %6d %8d %6d %5d %7d %9d %12d %8d\n", r.set, r.files, r.equal, r.refused, r.held, r.read, r.differ, r.unlike, r.theirs, r.ours)
	}
	t.Log("\n" + b.String())
}
