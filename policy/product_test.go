package policy_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
)

// A product gives each call what one of its members gives it, whatever wins.
func TestProduct(t *testing.T) {
	orders := map[string]func(later, earlier cbpf.Action) bool{
		"the strictest":       func(later, earlier cbpf.Action) bool { return later.Compare(earlier) < 0 },
		"the most permissive": func(later, earlier cbpf.Action) bool { return later.Compare(earlier) > 0 },
		"the largest word":    func(later, earlier cbpf.Action) bool { return later > earlier },
		"the first":           func(later, earlier cbpf.Action) bool { return false },
	}
	random := rand.New(rand.NewPCG(3, 5))
	products, n := 0, gen.Many(60, 500)
	for range n {
		var members []*policy.Resolved
		for range 1 + random.IntN(3) {
			m := randomReading(random)
			if r, _, err := policy.Resolve(m.p, m.o); err == nil && (len(members) == 0 || r.Order() == members[0].Order()) {
				members = append(members, r)
			}
		}
		for name, wins := range orders {
			if len(members) == 0 {
				continue
			}
			products++
			product, err := policy.Product(wins, members...)
			if err != nil {
				t.Fatal(err)
			}
			if err := product.Validate(); err != nil {
				t.Fatalf("%v\n%v", err, product)
			}
			for _, m := range members {
				for d := range gen.Points(random, m, nil, 1) {
					want := members[0].Eval(d)
					for _, m := range members[1:] {
						if a := m.Eval(d); wins(a, want) {
							want = a
						}
					}
					if got := product.Eval(d); got != want {
						t.Fatalf("%s: %+v: %v, want %v\n%v", name, d, got, want, product)
					}
				}
			}
		}
	}
	if products < 2*n {
		t.Errorf("only %d products of %d", products, len(orders)*n)
	}
}

func TestProductRefuses(t *testing.T) {
	stricter := func(later, earlier cbpf.Action) bool { return later.Compare(earlier) < 0 }
	resolve := func(a arch.ABI, tests int) *policy.Resolved {
		p := &policy.Policy{Default: cbpf.ErrnoClass, Rules: []policy.Rule{{Names: []string{"ioctl"}, Action: cbpf.Allow}}}
		for i := range tests {
			p.Rules[0].Args = append(p.Rules[0].Args, policy.Arg{Index: uint(i % 2), Op: policy.Equal, Value: uint64(i)})
		}
		r, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{a}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	tests := []struct {
		members []*policy.Resolved
		want    string
	}{
		{nil, "no policies"},
		{[]*policy.Resolved{nil}, "no target ABI"},
		{[]*policy.Resolved{resolve(arch.X86_64, 0), {}}, "no target ABI"},
		{[]*policy.Resolved{resolve(arch.X86_64, 0), resolve(arch.S390X, 0)}, "byte order"},
		{[]*policy.Resolved{resolve(arch.X86_64, 300), resolve(arch.X86_64, 299)}, "too many cases"},
		{[]*policy.Resolved{resolve(arch.X86_64, 10_000), resolve(arch.X86_64, 9_999)}, "too many cases"},
	}
	for _, tt := range tests {
		if r, err := policy.Product(stricter, tt.members...); err == nil || r != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
}
