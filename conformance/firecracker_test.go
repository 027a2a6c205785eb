package conformance

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/firecracker"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// A filter of Firecracker's means what libseccomp makes of the calls to it that
// seccompiler-bin makes.
func TestFirecracker(t *testing.T) {
	const policies = 500
	theirs, ours := 0, 0
	for seed := range uint64(policies) {
		text, spec := firecrackerFilter(gen.New(seed))
		abis := [][]arch.ABI{{arch.X86_64}, {arch.AArch64}, {arch.AArch64, arch.X86_64}}[seed%3] // the last is made on another machine
		made, err := scmp.Compile(spec, abis, scmp.Options{NoStub: true})
		if err != nil {
			t.Fatalf("seed %d: %v: %s", seed, err, text)
		}
		reading, err := firecracker.Language{Targets: abis}.Read(language.NewSource(text), policy.Target{})
		if err != nil {
			t.Fatalf("seed %d: %v: %s", seed, err, text)
		}
		resolved, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: abis})
		if err != nil {
			t.Fatalf("seed %d: %v: %s", seed, err, text)
		}
		built, _, err := compiler.Compile(resolved, compiler.Options{})
		if err != nil {
			t.Fatalf("seed %d: %v: %s", seed, err, text)
		}
		answer, err := proof.Equal(proof.Program(made), proof.Program(built), proof.Limits{})
		if err != nil || answer.Verdict != proof.Same {
			t.Errorf("seed %d: %v %+v %v: %s", seed, answer.Verdict, answer.Witness, err, text)
		}
		theirs, ours = theirs+made.Len(), ours+built.Len()
	}
	t.Logf("%d filters proved equal: %d instructions of libseccomp %s, %d of ours", policies, theirs, scmp.Version(), ours)
	if ours > theirs {
		t.Error("ours are longer")
	}
}

// firecrackerFilter draws a file with one filter, and what seccompiler-bin asks libseccomp
// for.
func firecrackerFilter(r *rand.Rand) ([]byte, *specs.LinuxSeccomp) {
	type object = map[string]any
	seven, errno, trace := uint(7), uint(r.IntN(4096)), uint(r.IntN(1<<16))
	actions := []struct {
		word  any
		class specs.LinuxSeccompAction
		data  *uint
	}{
		{"allow", specs.ActAllow, nil}, {"trap", specs.ActTrap, nil}, {"log", specs.ActLog, nil},
		{"kill_thread", specs.ActKillThread, nil}, {"kill_process", specs.ActKillProcess, nil},
		{object{"errno": errno}, specs.ActErrno, &errno}, {object{"trace": trace}, specs.ActTrace, &trace}, {object{"errno": 7}, specs.ActErrno, &seven},
	}
	r.Shuffle(len(actions), func(i, j int) { actions[i], actions[j] = actions[j], actions[i] })
	spec := &specs.LinuxSeccomp{DefaultAction: actions[0].class, DefaultErrnoRet: actions[0].data}
	ops := []struct {
		word string
		op   specs.LinuxSeccompOperator
	}{
		{"eq", specs.OpEqualTo}, {"ne", specs.OpNotEqual}, {"lt", specs.OpLessThan}, {"le", specs.OpLessEqual},
		{"gt", specs.OpGreaterThan}, {"ge", specs.OpGreaterEqual}, {"masked_eq", specs.OpMaskedEqual},
	}
	names := []string{"read", "write", "ioctl", "mmap", "futex", "socket", "fcntl", "madvise", "openat", "close", "exit", "open", "accept4", "riscv_flush_icache"}
	// Where the first call of a list is one that the ABI lacks, libseccomp forgets to load
	// the number.
	spec.Syscalls = []specs.LinuxSyscall{{Names: []string{first}, Action: actions[1].class, ErrnoRet: actions[1].data}}
	rules := []any{object{"syscall": first}}
	for range r.IntN(12) {
		name := names[r.IntN(len(names))]
		call := specs.LinuxSyscall{Names: []string{name}, Action: actions[1].class, ErrnoRet: actions[1].data}
		rule := object{"syscall": name}
		var args []any
		indices := r.Perm(6)[:max(0, r.IntN(6)-2)]
		// libseccomp goes wrong where bounds are on several arguments of a call, or on numbers
		// with several upper halves.
		masks := len(name)%2 == 0
		if !masks && len(indices) > 0 {
			indices = []int{len(name) % 6}
		}
		for _, index := range indices {
			op, val := ops[r.IntN(len(ops))], gen.Word(r)
			if masks && op.op != specs.OpEqualTo {
				op = ops[6]
			}
			if !masks {
				val = uint64(len(name))<<32 | val&(1<<32-1)
			}
			arg := object{"index": index, "type": "qword", "op": op.word, "val": val}
			c := specs.LinuxSeccompArg{Index: uint(index), Op: op.op, Value: val}
			if r.IntN(2) == 0 {
				arg["type"] = "dword"
				if op.op == specs.OpEqualTo {
					val &= 1<<32 - 1 // releases before 2.6 never match other bits
					arg["val"] = val
					c.Op, c.Value, c.ValueTwo = specs.OpMaskedEqual, 1<<32-1, val
				}
			}
			if op.op == specs.OpMaskedEqual {
				mask := gen.Word(r)
				val &= mask
				arg["val"] = val
				arg["op"] = object{"masked_eq": mask}
				c.Value, c.ValueTwo = mask, val
			}
			call.Args, args = append(call.Args, c), append(args, arg)
		}
		if args != nil {
			rule["args"] = args
		}
		spec.Syscalls, rules = append(spec.Syscalls, call), append(rules, rule)
	}
	text, err := json.Marshal(object{"vmm": object{"default_action": actions[0].word, "filter_action": actions[1].word, "filter": rules}})
	if err != nil {
		panic(fmt.Sprintf("BUG: %v", err))
	}
	return text, spec
}
