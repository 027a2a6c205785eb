package conformance

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Error numbers that no system call returns, so that each tells a verdict: the
// kernel's own end at 133, and from 512 on they mean that a call restarts.
const (
	firstRuleErrno = 200 // of rule 0; the next rule has the next
	defaultErrno   = 197
	badArchErrno   = 198
	enosysErrno    = 199
)

// lifeline are the calls that Go's runtime may make on a confined thread. Every
// policy allows them, and the test makes none of them.
func lifeline() []string {
	return []string{
		"clock_gettime", "clock_gettime64", "exit", "exit_group", "futex", "futex_time64", "getpid", "gettid",
		"madvise", "mmap", "mmap2", "munmap", "nanosleep", "read", "rt_sigaction", "rt_sigprocmask",
		"rt_sigreturn", "sched_yield", "sigaltstack", "sigreturn", "tgkill", "write",
	}
}

// harmless are calls that take no arguments and always succeed: an ALLOW for
// them can be watched.
func harmless() []string {
	return []string{"getegid", "geteuid", "getgid", "getpgrp", "getppid", "getuid"}
}

// The running kernel answers calls under a compiled filter as the policy says.
// Every verdict shows in the error number that the call returns, so nothing but
// harmless calls is let through.
func TestLiveKernel(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("needs the kernel of an x86_64 machine")
	}
	batches := liveBatches(t, 120, 2500)
	for _, tt := range []struct {
		abi    arch.ABI
		goarch string
	}{{arch.X86_64, "amd64"}, {arch.X86, "386"}} {
		t.Run(tt.abi.String(), func(t *testing.T) {
			errnos := makeCalls(t, tt.goarch, tt.abi.Audit(), batches)
			calls, allowed, verdicts := 0, 0, map[cbpf.Action]bool{}
			for i, b := range batches {
				for j, d := range b.calls[tt.abi.Audit()] {
					want := b.res.Eval(&d)
					calls++
					verdicts[want] = true
					if want == cbpf.Allow {
						allowed++
					}
					if got := errnos[i][j]; got != uint32(want.Data()) {
						t.Errorf("seed %d: nr %#x (%s), args %#x: the kernel says errno %d, the policy %v", b.seed, d.NR,
							policy.Names().Syscall(d.Arch, d.NR), d.Args, got, want)
						break // one of each filter is enough to read
					}
				}
			}
			t.Logf("%s: %d calls under %d filters, %d of them allowed, %d different verdicts", tt.abi, calls, len(batches), allowed, len(verdicts))
			if calls < 20_000 || allowed < 100 || len(verdicts) < 20 {
				t.Error("too few calls to mean anything")
			}
		})
	}
}

// A liveBatch is a policy, its filter, and calls by AUDIT_ARCH value.
type liveBatch struct {
	seed    uint64
	res     *policy.Resolved
	program *cbpf.Program
	calls   map[uint32][]cbpf.Data
}

// liveBatches draws policies until n of them resolve, with up to limit calls for
// each ABI.
func liveBatches(t *testing.T, n, limit int) []liveBatch {
	t.Helper()
	var batches []liveBatch
	for seed := uint64(0); len(batches) < n; seed++ {
		if seed == uint64(10*n) {
			t.Fatalf("only %d of %d policies resolve", len(batches), seed)
		}
		r := gen.New(seed)
		res, ok := livePolicy(r)
		if !ok {
			continue // rules that contradict each other
		}
		out, _, err := compiler.Compile(res, compiler.Options{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		batches = append(batches, liveBatch{seed, res, out, liveCalls(t, r, seed, res, out, limit)})
	}
	return batches
}

// livePolicy draws a policy whose every verdict can be watched.
func livePolicy(r *rand.Rand) (*policy.Resolved, bool) {
	o := policy.Options{
		ABIs:          []arch.ABI{arch.X86_64, arch.X86, arch.X32}[:2+r.IntN(2)],
		BadArch:       cbpf.Errno(badArchErrno),
		StrictestWins: r.IntN(4) == 0,
	}
	switch r.IntN(4) {
	case 0:
		o.ENOSYS.Off = true
	case 1:
		o.ENOSYS.Kernel = syscalltables.Version{Major: 5, Minor: uint8(r.IntN(20))}
	}
	drawn := gen.Policy(r, gen.Options{ABIs: o.ABIs})
	errno := uint(defaultErrno)
	p := &policy.Policy{Default: cbpf.ErrnoClass, DefaultErrno: &errno, ABIs: o.ABIs}
	p.Rules = append(p.Rules, policy.Rule{Names: lifeline(), Action: cbpf.Allow})
	for i, rule := range drawn.Rules {
		p.Rules = append(p.Rules, watched(r, i, rule)...)
	}
	res, _, err := policy.Resolve(p, o)
	if err != nil {
		return nil, false
	}
	// The kernel itself answers ENOSYS to numbers that it does not have.
	shown := &policy.Resolved{Default: res.Default, BadArch: res.BadArch, Spaces: slices.Clone(res.Spaces)}
	for i := range shown.Spaces {
		ranges := slices.Clone(shown.Spaces[i].Ranges)
		for j := range ranges {
			if ranges[j].Reason == policy.ByENOSYS {
				ranges[j].Action = cbpf.Errno(enosysErrno)
			}
		}
		shown.Spaces[i].Ranges = ranges
	}
	return shown, true
}

// watched returns what is kept of a rule: the lifeline never depends on it, and
// now and then it becomes one of a harmless call, to which it may say ALLOW.
func watched(r *rand.Rand, i int, rule policy.Rule) []policy.Rule {
	errno := uint(firstRuleErrno + i)
	rule.Action, rule.Errno = cbpf.ErrnoClass, &errno
	if r.IntN(3) == 0 {
		rule.Names = []string{harmless()[r.IntN(len(harmless()))]}
		if r.IntN(2) == 0 {
			rule.Action, rule.Errno = cbpf.Allow, nil
		}
	}
	rule.Names = slices.DeleteFunc(slices.Clone(rule.Names), func(n string) bool { return slices.Contains(lifeline(), n) })
	if len(rule.Names) == 0 {
		return nil
	}
	return []policy.Rule{rule}
}

// liveCalls picks calls that the kernel can be asked about: those that policy and
// program, as our evaluator runs it, agree not to let through, and harmless ones.
func liveCalls(t *testing.T, r *rand.Rand, seed uint64, res *policy.Resolved, p *cbpf.Program, limit int) map[uint32][]cbpf.Data {
	t.Helper()
	calls := map[uint32][]cbpf.Data{}
	for point := range gen.Points(r, res, p, 2) {
		d := *point
		d.IP = 0
		switch d.Arch {
		case arch.X86_64.Audit():
			if d.NR == 335 || d.NR == 336 {
				continue // no filter sees uretprobe and uprobe (kernel/seccomp.c: seccomp_uprobe_exception)
			}
		case arch.X86.Audit():
			for i := range d.Args {
				d.Args[i] &= 0xffffffff
			}
		default:
			continue
		}
		want := res.Eval(&d)
		if got := p.Eval(&d); got != want {
			t.Fatalf("seed %d: %+v: the program says %v, the policy %v", seed, d, got, want)
		}
		if want.Class() == cbpf.ErrnoClass ||
			want == cbpf.Allow && slices.Contains(harmless(), policy.Names().Syscall(d.Arch, d.NR)) && d.NR&arch.X32Bit == 0 {
			calls[d.Arch] = append(calls[d.Arch], d)
		}
	}
	for _, abi := range []arch.ABI{arch.X86_64, arch.X86} {
		all := calls[abi.Audit()]
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		calls[abi.Audit()] = all[:min(limit, len(all))]
	}
	return calls
}

// makeCalls has a child of the given GOARCH make the calls under their filters
// and returns the error numbers by batch and call.
func makeCalls(t *testing.T, goarch string, audit uint32, batches []liveBatch) [][]uint32 {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "live")
	build := exec.Command("go", "build", "-o", bin, "./testdata/live")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+goarch)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var in, stdout, stderr bytes.Buffer
	enc := gob.NewEncoder(&in)
	for _, b := range batches {
		raw, err := b.program.AppendBinary(nil)
		if err == nil {
			err = errors.Join(enc.Encode(raw), enc.Encode(b.calls[audit]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // usually a second
	defer cancel()
	child := exec.CommandContext(ctx, bin)
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGQUIT) } // to see where it stands
	child.WaitDelay = 10 * time.Second
	child.Stdin, child.Stdout, child.Stderr = &in, &stdout, &stderr
	err := child.Run()
	if errors.Is(err, syscall.ENOEXEC) {
		t.Skipf("this kernel runs no %s programs", goarch)
	}
	dec := gob.NewDecoder(&stdout)
	errnos := make([][]uint32, len(batches))
	for i, b := range batches {
		if bad := dec.Decode(&errnos[i]); bad != nil {
			t.Fatalf("seed %d: %v: %v\n%s", b.seed, bad, err, &stderr)
		}
		if len(errnos[i]) != len(b.calls[audit]) {
			t.Fatalf("seed %d: %d answers to %d calls", b.seed, len(errnos[i]), len(b.calls[audit]))
		}
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	return errnos
}
