package seccompile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/optimize"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// The examples of this file are the right-hand sides of docs/MIGRATION.md.

func Example_migrateNames() {
	call, ok := syscalltables.Lookup("openat")
	if !ok {
		log.Fatal("no such call")
	}
	abi, err := arch.Parse("arm64")
	if err != nil {
		log.Fatal(err)
	}
	nr, ok := call.Number(abi)
	fmt.Println(call.Name(), nr, ok)
	call, ok = syscalltables.ByNumber(arch.S390X, 5)
	fmt.Println(call, ok, abi, abi.OCI())
	_ = arch.Native()
	_ = oci.Version()
	// Output:
	// openat 56 true
	// open true aarch64 SCMP_ARCH_AARCH64
}

func Example_migrateNumbers() {
	p := &policy.Policy{Rules: []policy.Rule{
		{Numbers: []uint32{1000, 1<<32 - 1}, Action: cbpf.Allow},
		{Names: []string{"socket"}, ABIs: []arch.ABI{arch.X86}, Action: cbpf.Trap + 7},
	}}
	resolved, _, err := policy.Resolve(p, policy.Options{
		ABIs:    []arch.ABI{arch.X86_64, arch.X86},
		Exact:   true,
		BadArch: cbpf.KillProcess,
	})
	if err != nil {
		log.Fatal(err)
	}
	call, _ := syscalltables.Lookup("socket")
	nr, selector, _ := call.Multiplexed(arch.X86)
	for _, d := range []cbpf.Data{
		{Arch: arch.X86_64.Audit(), NR: 1<<32 - 1},
		{Arch: arch.X86.Audit(), NR: nr, Args: [6]uint64{uint64(selector)}},
		{Arch: arch.X86_64.Audit(), NR: 41},
	} {
		fmt.Println(resolved.Eval(&d))
	}
	// Output:
	// ALLOW
	// TRAP(7)
	// KILL_THREAD
}

func Example_migrateFilter() {
	enosys, esrch := uint(38), uint(3)
	p := &policy.Policy{Default: cbpf.ErrnoClass, DefaultErrno: &enosys}
	p.ABIs = append(p.ABIs, arch.X86_64, arch.X86)
	p.Rules = append(p.Rules,
		policy.Rule{Names: []string{"read", "write"}, Action: cbpf.Allow},
		policy.Rule{Names: []string{"socket"}, Action: cbpf.Allow, Args: []policy.Arg{
			{Index: 0, Op: policy.Equal, Value: 2},
			{Index: 1, Op: policy.MaskedEqual, Value: 0xf, ValueTwo: 1}, // mask, datum
		}},
		policy.Rule{Names: []string{"kill"}, Action: cbpf.ErrnoClass, Errno: &esrch},
	)
	resolved, warnings, err := policy.Resolve(p, policy.Options{
		ABIs:    []arch.ABI{arch.X86_64, arch.X86},
		BadArch: cbpf.KillProcess,
		ENOSYS:  policy.ENOSYS{Off: true},
	})
	if err != nil {
		log.Fatal(err) // all mistakes of all rules
	}
	for _, w := range warnings {
		fmt.Println(w)
	}
	filter, _, err := compiler.Compile(resolved, compiler.Options{Weights: map[string]uint64{"read": 10}})
	if err != nil {
		log.Fatal(err)
	}
	raw, err := filter.AppendBinary(nil)
	if err != nil {
		log.Fatal(err)
	}
	_ = filter.Disassemble(policy.Names())
	for _, nr := range []uint32{0, 41, 62, 9} {
		d := &cbpf.Data{Arch: arch.X86_64.Audit(), NR: nr, Args: [6]uint64{2, 0x80001}}
		fmt.Println(filter.Eval(d))
	}
	fmt.Println(len(raw) == 8*filter.Len())
	// Output:
	// /syscalls/1/names/0: socket can also be called through socketcall, which hides its arguments from filters: conditions on them do not apply there (on x86) (lost-condition)
	// ALLOW
	// ALLOW
	// ERRNO(3)
	// ERRNO(38)
	// true
}

// allowing returns a policy that lets some calls pass, for some ABIs.
func allowing(badArch cbpf.Action, calls []string, abis ...arch.ABI) *policy.Resolved {
	p := &policy.Policy{Default: cbpf.KillThread, Rules: []policy.Rule{{Names: calls, Action: cbpf.Allow}}}
	if calls == nil {
		p = &policy.Policy{Default: cbpf.Allow}
	}
	r, _, err := policy.Resolve(p, policy.Options{ABIs: abis, BadArch: badArch, ENOSYS: policy.ENOSYS{Off: true}})
	if err != nil {
		log.Fatal(err)
	}
	return r
}

func Example_migrateMerge() {
	one := &policy.Policy{ABIs: []arch.ABI{arch.X86_64}, Rules: []policy.Rule{{Names: []string{"read", "close"}, Action: cbpf.Allow}}}
	other := &policy.Policy{ABIs: []arch.ABI{arch.X86}, Rules: []policy.Rule{{Names: []string{"read", "socket"}, Action: cbpf.Allow}}}
	both := &policy.Policy{ABIs: slices.Concat(one.ABIs, other.ABIs)}
	for _, rule := range one.Rules {
		rule.ABIs = one.ABIs
		both.Rules = append(both.Rules, rule)
	}
	for _, rule := range other.Rules {
		rule.ABIs = other.ABIs
		both.Rules = append(both.Rules, rule)
	}
	resolved, _, err := policy.Resolve(both, policy.Options{ABIs: both.ABIs, ENOSYS: policy.ENOSYS{Off: true}})
	if err != nil {
		log.Fatal(err)
	}
	joined, _, err := compiler.Compile(resolved, compiler.Options{})
	if err != nil {
		log.Fatal(err)
	}

	// Or layers, which may be finished programs too. All but the last let the calls of
	// ABIs that they do not know pass, and the last lets only those of both.
	merged, err := optimize.Merge([]optimize.Layer{
		{Name: "x86_64", Policy: allowing(cbpf.Allow, []string{"read", "close"}, arch.X86_64)},
		{Name: "x86", Policy: allowing(cbpf.Allow, []string{"read", "socket"}, arch.X86)},
		{Name: "both", Policy: allowing(cbpf.KillThread, nil, arch.X86_64, arch.X86)},
	}, proof.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	for _, abi := range []arch.ABI{arch.X86_64, arch.X86, arch.X32, arch.ARM} {
		for _, name := range []string{"close", "socket"} {
			call, _ := syscalltables.Lookup(name)
			nr, _ := call.Number(abi)
			d := &cbpf.Data{Arch: abi.Audit(), NR: nr}
			fmt.Println(abi, call, joined.Eval(d), merged.Program.Eval(d))
		}
	}
	// Output:
	// x86_64 close ALLOW ALLOW
	// x86_64 socket KILL_THREAD KILL_THREAD
	// x86 close KILL_THREAD KILL_THREAD
	// x86 socket ALLOW ALLOW
	// x32 close KILL_THREAD KILL_THREAD
	// x32 socket KILL_THREAD KILL_THREAD
	// arm close KILL_THREAD KILL_THREAD
	// arm socket KILL_THREAD KILL_THREAD
}

// What the guide says of merging: for every call.
func TestMigrationGuideOnMerge(t *testing.T) {
	kill := allowing(cbpf.KillThread, []string{"no_such_call"}, arch.X86_64)
	for _, pair := range [][2]arch.ABI{{arch.X86_64, arch.X86}, {arch.X86_64, arch.X32}, {arch.S390X, arch.S390}} {
		a, b := pair[0], pair[1]
		forA, forB := []string{"read", "close"}, []string{"read", "getpid"}
		merge := func(layers ...*policy.Resolved) proof.Subject {
			var list []optimize.Layer
			for _, r := range layers {
				list = append(list, optimize.Layer{Name: r.Spaces[0].ABIs[0].String(), Policy: r})
			}
			m, err := optimize.Merge(list, proof.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			return proof.Program(m.Program)
		}
		equal := func(x, y proof.Subject) bool {
			res, err := proof.Equal(x, y, proof.Limits{})
			if err != nil || res.Verdict == proof.Unknown {
				t.Fatal(res, err)
			}
			return res.Verdict == proof.Same
		}
		both := allowing(cbpf.KillThread, []string{"read", "close", "getpid"}, a, b)
		joined, _, err := policy.Resolve(&policy.Policy{Rules: []policy.Rule{
			{Names: forA, ABIs: []arch.ABI{a}, Action: cbpf.Allow}, {Names: forB, ABIs: []arch.ABI{b}, Action: cbpf.Allow},
		}}, policy.Options{ABIs: []arch.ABI{a, b}, ENOSYS: policy.ENOSYS{Off: true}})
		if err != nil {
			t.Fatal(err)
		}
		layers := []*policy.Resolved{
			allowing(cbpf.Allow, forA, a), allowing(cbpf.Allow, forB, b), allowing(cbpf.KillThread, nil, a, b),
		}
		if !equal(proof.Policy(joined), merge(layers...)) {
			t.Errorf("%v: three layers are something else than the rules of each ABI", pair)
		}
		if equal(proof.Policy(joined), proof.Policy(both)) {
			t.Errorf("%v: appended rules are narrow", pair)
		}
		apart := []*policy.Resolved{allowing(cbpf.KillThread, forA, a), allowing(cbpf.KillThread, forB, b)}
		if !equal(proof.Policy(kill), merge(apart...)) {
			t.Errorf("%v: two finished filters do not kill everything", pair)
		}
	}
}

func Example_migrateLoad() {
	var program *cbpf.Program // of compiler.Compile, or from cbpf.Decode
	features, err := loader.Probe()
	if err != nil {
		log.Fatal(err)
	}
	if slices.Contains(features.Actions, cbpf.KillProcess) {
		log.Print("the kernel can kill processes")
	}
	o := loader.Options{
		ThisThread: true,
		KeepPrivs:  true,
		Flags:      []cbpf.Flag{cbpf.LogFlag, cbpf.SpecAllow, cbpf.WaitKillableRecv},
	}
	err = loader.Install(program, o)
	if errors.Is(err, syscall.EACCES) {
		log.Fatal(err)
	}
}

func Example_migrateNotifications() {
	var program *cbpf.Program // one that returns NOTIFY
	var received *os.File     // in an agent, from a runtime
	listener, err := loader.InstallListener(program, loader.Options{})
	if err != nil {
		log.Fatal(err)
	}
	agents, err := loader.OpenListener(received)
	if err != nil {
		log.Fatal(err)
	}
	defer agents.Close()
	_ = listener.File() // for passing it on

	ctx := context.Background()
	for {
		n, err := listener.Receive(ctx)
		if err == io.EOF {
			break // no target is left
		}
		if err != nil {
			log.Fatal(err)
		}
		answer(ctx, n)
	}

	// Or all of this at once, for many targets:
	err = listener.Serve(ctx, answer, loader.ServeOptions{})
	if err != nil {
		log.Fatal(err)
	}
}

func answer(_ context.Context, n *loader.Notification) {
	abi, _ := arch.ByAudit(n.Data.Arch, n.Data.NR)
	call, _ := syscalltables.ByNumber(abi, n.Data.NR)
	log.Print(n.ID, n.PID, call, n.Data.IP, n.Data.Args)
	path, err := n.ReadString(n.Data.Args[0], 4096)
	if err == nil {
		err = n.Valid()
	}
	switch {
	case err != nil:
		err = n.Fail(syscall.EPERM)
	case strings.HasPrefix(path, "/"):
		err = n.Return(0)
	default:
		err = n.Continue()
	}
	if err != nil && err != loader.ErrGone {
		log.Print(err)
	}
}

// Every piece of code in the columns of ours is in an example above.
func TestMigrationGuideIsCompiled(t *testing.T) {
	guide, err := os.ReadFile("docs/MIGRATION.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("migration_test.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`[^`]+`")
	pieces := 0
	for line := range strings.Lines(string(guide)) {
		columns := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| `") || len(columns) < 2 {
			continue
		}
		for _, piece := range code.FindAllString(columns[1], -1) {
			pieces++
			if !strings.Contains(string(examples), strings.Trim(piece, "`")) {
				t.Errorf("docs/MIGRATION.md: %s is in no example", piece)
			}
		}
	}
	if pieces < 40 {
		t.Errorf("docs/MIGRATION.md has only %d pieces of code", pieces)
	}
}
