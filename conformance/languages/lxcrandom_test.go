package languages

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// Real liblxcs and this project agree on the corpus, on a policy with every call, and on random
// policies: 500, or as many as SECCOMPILE_LXC says.
func TestLXCLive(t *testing.T) {
	count, asked := 500, os.Getenv("SECCOMPILE_LXC")
	if asked != "" {
		var err error
		if count, err = strconv.Atoi(asked); err != nil {
			t.Fatal(err)
		}
	}
	for name, find := range map[string]func(*testing.T) liblxc{
		"installed": installedLXC,
		"sid":       func(t *testing.T) liblxc { return sidLXC(t, asked != "") },
	} {
		t.Run(name, func(t *testing.T) {
			l, library := find(t), shim(t)
			var rows []row
			judge := func(set string, policies [][]byte, o compiler.Options) {
				x := contest{liblxc: l, options: o, row: row{set: set}, own: make(map[string]int)}
				for some := range slices.Chunk(policies, 250) {
					x.judge(t, some, l.filters(t, library, some))
				}
				rows = append(rows, x.row)
				n := x.own["File exists"] + x.own["no rule"] + x.own["another rule"]
				t.Logf("%s: %d differences are libseccomp's own: %v", set, n, x.own)
				if n > len(policies)/50 {
					t.Error("too many")
				}
			}
			judge("lxc/corpus", lxcCorpus(t), compiler.Options{})
			judge("lxc/every call", everyCall(), compiler.Options{})
			var policies [][]byte
			calls := callNames()
			for i := range count {
				policies = append(policies, randomLXC(rand.New(rand.NewPCG(5, uint64(i))), calls))
			}
			// These name few calls that are far apart, which makes trees long.
			judge("lxc/random", policies, compiler.Options{Effort: compiler.Exhaustive})
			table(t, rows)
		})
	}
}

// lxcCorpus returns the policies of the corpus if there is one.
func lxcCorpus(t *testing.T) (policies [][]byte) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("SECCOMPILE_POLICIES"), "lxc/policies/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		policies = append(policies, text)
	}
	return policies
}

// A contest is a liblxc and this project on some policies.
type contest struct {
	liblxc
	options compiler.Options
	mu      sync.Mutex
	row
	own map[string]int // see libseccomps
}

// judge compares policies, on all processors.
func (c *contest) judge(t *testing.T, policies [][]byte, verdicts []verdict) {
	t.Helper()
	var workers sync.WaitGroup
	for n := range runtime.NumCPU() {
		workers.Go(func() {
			for i := n; i < len(policies); i += runtime.NumCPU() {
				c.one(t, policies[i], verdicts[i])
			}
		})
	}
	workers.Wait()
}

func (c *contest) one(t *testing.T, text []byte, v verdict) {
	t.Helper()
	b, refused := readLXC(t, c.version, text, c.options)
	why, err := libseccomps(b, refused, v)
	if err != nil {
		t.Errorf("%q: %v", text, err)
	}
	r := row{set: c.set}
	if why == "" {
		r.settle(t, strconv.Quote(string(text[:min(len(text), 1000)])), b, refused, v, nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if why != "" {
		c.files++
		c.own[why]++
	}
	c.add(r)
}

// libseccomps returns why a difference comes from the way in which libseccomp keeps rules,
// "" if there is none or it does not. libseccomp sees contradictions where rules have an
// order ("File exists"), and where rules that compare with < or > meet, a call can get what
// no rule says, or what another rule says than the first in libseccomp's order.
func libseccomps(b built, refused error, v verdict) (why string, err error) {
	switch {
	case refused != nil:
		return "", nil
	case v.program == nil:
		if strings.Contains(v.reason, " File exists - ") && ordered(b.reading.Policy) {
			return "File exists", nil
		}
		return "", nil
	}
	answer, err := proof.Equal(proof.Program(v.program), proof.Program(b.program), proof.Limits{})
	if err != nil || answer.Verdict != proof.Different {
		return "", err
	}
	call := answer.Witness.Call
	got := v.program.Eval(&call)
	actions, compares, err := hold(b, &call)
	switch {
	case err != nil:
		return "", err
	case !slices.Contains(actions, got):
		return "no rule", nil
	case len(actions) > 1 && compares:
		return "another rule", nil
	}
	return "", nil
}

// hold returns the actions of all rules that hold for a call, the default if none does, and
// whether any of them compares with < or >.
func hold(b built, call *cbpf.Data) (actions []cbpf.Action, compares bool, err error) {
	for _, rule := range b.reading.Policy.Rules {
		one := *b.reading.Policy
		one.Rules = []policy.Rule{rule}
		alone, _, err := policy.Resolve(&one, policy.Options{})
		if err != nil {
			return nil, false, err
		}
		if action := alone.Eval(call); action != b.resolved.Default {
			actions = append(actions, action)
			compares = compares || slices.ContainsFunc(rule.Args, func(a policy.Arg) bool {
				return a.Op != policy.Equal && a.Op != policy.NotEqual && a.Op != policy.MaskedEqual
			})
		}
	}
	if actions == nil {
		actions = append(actions, b.resolved.Default)
	}
	return actions, compares, nil
}

// ordered reports whether a call has two rules with conditions and different actions, so
// that only their order decides some of its calls.
func ordered(p *policy.Policy) bool {
	first := make(map[string]*policy.Rule)
	for i := range p.Rules {
		r := &p.Rules[i]
		for _, name := range r.Names {
			before := first[name]
			if before != nil && len(r.Args) > 0 && len(before.Args) > 0 && (r.Action != before.Action || r.Errno != nil && *r.Errno != *before.Errno) {
				return true
			}
			if before == nil {
				first[name] = r
			}
		}
	}
	return false
}

// everyCall returns policies with each name that Linux has on any ABI: in a rule of its own
// error, and in one with a condition.
func everyCall() [][]byte {
	var plain, tests strings.Builder
	plain.WriteString("2\nallowlist\n")
	tests.WriteString("2\ndenylist\n")
	for i, name := range callNames() {
		fmt.Fprintf(&plain, "%s errno %d\n", name, i+1)
		fmt.Fprintf(&tests, "%s errno %d [%d,%d,==]\n", name, i%7+1, i%6, i)
	}
	return [][]byte{[]byte(plain.String()), []byte(tests.String())}
}

// callNames returns the names of all calls, sorted.
func callNames() (names []string) {
	for a := range arch.All() {
		for _, call := range syscalltables.All(a) {
			names = append(names, call.Name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
