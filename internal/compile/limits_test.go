package compile_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

// spread makes a policy of n rules on one argument of all x86_64 calls. With gap 1
// the values of a call are neighbours, with more each needs a test of its own.
func spread(n int, gap uint64) *policy.Policy {
	var names []string
	for _, c := range syscalltables.All(arch.X86_64) {
		names = append(names, c.Name())
	}
	p := &policy.Policy{Default: cbpf.ErrnoClass}
	for i := range n {
		p.Rules = append(p.Rules, policy.Rule{
			Names:  names[i%len(names) : i%len(names)+1],
			Action: cbpf.Allow,
			Args:   []policy.Arg{{Index: 1, Op: policy.Equal, Value: uint64(i/len(names)) * gap}},
		})
	}
	return p
}

// oneCall makes a policy of n values of one argument of ioctl.
func oneCall(n int, gap uint64) *policy.Policy {
	p := &policy.Policy{Default: cbpf.ErrnoClass}
	for i := range n {
		p.Rules = append(p.Rules, policy.Rule{
			Names: []string{"ioctl"}, Action: cbpf.Allow,
			Args: []policy.Arg{{Index: 1, Op: policy.Equal, Value: uint64(i) * gap}},
		})
	}
	return p
}

func compiled(t testing.TB, p *policy.Policy, abis ...arch.ABI) (*policy.Resolved, *compile.Result, error) {
	t.Helper()
	r, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
	if err != nil {
		t.Fatal(err)
	}
	res, err := compile.Compile(r, compile.Options{})
	return r, res, err
}

func TestTooLongNamesTheCostliestCalls(t *testing.T) {
	p := oneCall(5000, 3)
	p.Rules = append(p.Rules, spread(400, 1).Rules...)
	_, _, err := compiled(t, p, arch.X86_64)
	var long *compile.TooLongError
	if !errors.As(err, &long) {
		t.Fatalf("got %v", err)
	}
	if long.Len <= cbpf.MaxInstructions || len(long.Costliest) != 5 || long.Costliest[0][:12] != "x86_64 ioctl" {
		t.Errorf("got %v", err)
	}
	// Calls of an ABI that decides all numbers alike cost nothing.
	r, _, _ := compiled(t, oneCall(5000, 3), arch.X86_64)
	r.Spaces = append(r.Spaces, policy.Space{Audit: arch.X86.Audit(), ABIs: []arch.ABI{arch.X86}, Calls: []policy.Call{
		{NR: 3, ABI: arch.X86, Clauses: []policy.Clause{{Action: r.Default}}},
	}})
	_, err = compile.Compile(r, compile.Options{})
	if !errors.As(err, &long) || len(long.Costliest) != 2 || long.Costliest[1] != "x86 read (about 0)" {
		t.Errorf("got %v", err)
	}
}

func TestFarJumpsReachTheirTargets(t *testing.T) {
	for _, n := range []int{300, 1000, 3000} {
		r, res, err := compiled(t, oneCall(n, 3), arch.X86_64)
		if err != nil {
			t.Fatal(err)
		}
		for v := range uint64(3*n + 3) {
			d := cbpf.Data{NR: 16, Arch: arch.X86_64.Audit(), Args: [6]uint64{0, v}}
			agree(t, r, res, &d)
			d.Args[1] |= 1 << 40
			agree(t, r, res, &d)
		}
	}
}

func TestRequestListIsNotLinear(t *testing.T) {
	r, res, err := compiled(t, oneCall(200, 0x101), arch.X86_64)
	if err != nil {
		t.Fatal(err)
	}
	longest := 0
	for v := range uint64(200) {
		d := cbpf.Data{NR: 16, Arch: arch.X86_64.Audit(), Args: [6]uint64{0, v * 0x101}}
		agree(t, r, res, &d)
		_, steps := res.Program.Trace(&d)
		longest = max(longest, len(steps))
	}
	if longest > 24 {
		t.Errorf("%d instructions executed for one of 200 requests", longest)
	}
	t.Logf("%d instructions, at most %d executed", res.Program.Len(), longest)
}

func TestNoTargetIsAnError(t *testing.T) {
	for _, r := range []*policy.Resolved{nil, {}} {
		if res, err := compile.Compile(r, compile.Options{}); err == nil {
			t.Errorf("got %v", res)
		}
	}
}

func BenchmarkRules(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := spread(n, 1)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := compiled(b, p, arch.X86_64); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/rule")
		})
	}
}

// What a compilation allocates is bounded: most of what the first one in a process costs
// is pages of the heap that nobody has used yet.
func TestMemoryIsByNeed(t *testing.T) {
	if gen.Race {
		t.Skip("the race detector allocates")
	}
	few := &policy.Policy{Default: cbpf.ErrnoClass, ABIs: []arch.ABI{arch.X86_64}, Rules: []policy.Rule{
		{Names: []string{"read", "write", "close", "exit", "exit_group", "mmap", "munmap", "brk", "futex", "rt_sigreturn"}, Action: cbpf.Allow},
	}}
	small, _, err := policy.Resolve(few, policy.Options{ABIs: few.ABIs})
	if err != nil {
		t.Fatal(err)
	}
	docker := resolve(t, preset.Docker(), policy.Options{ABIs: arch.X86_64.Family()})
	for _, tt := range []struct {
		name           string
		r              *policy.Resolved
		objects, bytes uint64
	}{
		{"ten calls", small, 50, 20 << 10},
		{"Docker's profile for three ABIs", docker, 270, 128 << 10},
	} {
		const times = 10
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			if _, err := compile.Compile(tt.r, compile.Options{}); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		objects, bytes := (after.Mallocs-before.Mallocs)/times, (after.TotalAlloc-before.TotalAlloc)/times
		if objects > tt.objects || bytes > tt.bytes {
			t.Errorf("%s: %d objects, %d bytes, want at most %d and %d", tt.name, objects, bytes, tt.objects, tt.bytes)
		}
	}
}
