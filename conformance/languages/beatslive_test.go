package languages

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/elastic/go-seccomp-bpf"
	ucfg "github.com/elastic/go-ucfg/yaml"
	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/beats"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// elastic returns what go-seccomp-bpf makes of a policy, for the ABI that it runs on.
func elastic(text string) (*cbpf.Program, error) {
	var file struct{ Seccomp seccomp.Policy }
	config, err := ucfg.NewConfig([]byte(text))
	if err == nil {
		err = config.Unpack(&file)
	}
	if err != nil {
		return nil, err
	}
	code, err := file.Seccomp.Assemble()
	if err != nil {
		return nil, err
	}
	raw, err := bpf.Assemble(code)
	if err != nil {
		return nil, err
	}
	return cbpf.New(raw, binary.LittleEndian)
}

// Random policies mean what go-seccomp-bpf makes of them, and are refused as there.
func TestBeatsLive(t *testing.T) {
	native := arch.Native()
	if !slices.Contains([]arch.ABI{arch.X86_64, arch.AArch64}, native) {
		t.Skip("go-seccomp-bpf compiles for the ABI it runs on, and has no filters of 64 bits for " + runtime.GOARCH)
	}
	const policies = 2000
	theirs, ours, equal, refused := 0, 0, 0, 0
	for seed := range uint64(policies) {
		text := beatsPolicy(gen.New(seed))
		made, bad := elastic(text)
		reading, err := beats.Language{}.Read(language.NewSource([]byte(text)), policy.Target{})
		if (err == nil) != (bad == nil) {
			t.Errorf("seed %d: error %v, go-seccomp-bpf %v:\n%s", seed, err, bad, text)
		}
		if err != nil || bad != nil {
			refused++
			continue
		}
		resolved, _, err := policy.Resolve(reading.Policy, policy.Options{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		built, _, err := compiler.Compile(resolved, compiler.Options{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		answer, err := proof.Equal(proof.Program(made), proof.Program(built), proof.Limits{})
		if err != nil || answer.Verdict != proof.Same {
			t.Errorf("seed %d: %v %+v %v, %d instructions:\n%s", seed, answer.Verdict, answer.Witness, err, made.Len(), text)
		}
		equal, theirs, ours = equal+1, theirs+made.Len(), ours+built.Len()
	}
	t.Logf("%d policies: %d proved equal, %d refused alike; %d instructions of go-seccomp-bpf's, %d of ours", policies, equal, refused, theirs, ours)
	if ours > theirs || equal < policies/2 || refused < policies/20 {
		t.Error("ours are longer, or too few policies are compared")
	}
}

// beatsPolicy draws a policy, which now and then has a mistake.
func beatsPolicy(r *rand.Rand) string {
	var b strings.Builder
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	once := func() bool { return r.IntN(150) == 0 }
	action := func() string {
		if once() {
			return pick("user_notify", "kill", "''", "7", "~")
		}
		return pick("kill_thread", "kill_process", "trap", "errno", "trace", "log", "allow", "Allow")
	}
	call := func() string {
		if once() {
			return pick("wriet", "mmap2", "12", "~")
		}
		return pick("read", "write", "close", "openat", "mmap", "ioctl", "socket", "listen", "accept4", "kill", "futex", "execve", "dup", "pipe2", "getpid", "wait4", "brk", "munmap", "mprotect")
	}
	conditional := 0 // calls with conditions
	b.WriteString("other: 1\nseccomp:\n")
	if r.IntN(20) > 0 {
		fmt.Fprintf(&b, "  default_action: %s\n", action())
	}
	b.WriteString("  syscalls:\n")
	groups := (r.IntN(32) + 4) / 8
	last := r.IntN(4) > 0 // one call with conditions at most, behind all others
	for g := range groups {
		fmt.Fprintf(&b, "  - action: %s\n", action())
		switch names := r.IntN(9); {
		case names == 8:
			fmt.Fprintf(&b, "    names: %s\n", call())
		case names > 0:
			var list []string
			for range names {
				list = append(list, call())
			}
			if !once() {
				slices.Sort(list)
				list = slices.Compact(list)
			}
			fmt.Fprintf(&b, "    names: [%s]\n", strings.Join(list, ", "))
		}
		// More of them make more paths than a filter has instructions.
		if r.IntN(5) < 2 || conditional >= 2 || last && g < groups-1 {
			continue
		}
		b.WriteString("    names_with_args:\n")
		for range 1 + r.IntN(2) {
			if last && conditional > 0 {
				break
			}
			conditional++
			fmt.Fprintf(&b, "    - name: %s\n      arguments:\n", pick("fcntl", "prctl", "clone", "bind", call()))
			for range 1 + r.IntN(3)/2 {
				fmt.Fprintf(&b, "      - operation: %s\n", pick("Equal", "NotEqual", "GreaterThan", "LessThan", "GreaterOrEqual", "LessOrEqual", "BitsSet", "BitsNotSet", "equal"))
				if r.IntN(10) > 0 {
					fmt.Fprintf(&b, "        argument: %d\n", r.IntN(2)*5)
				} else if once() {
					b.WriteString("        argument: 6\n")
				}
				if r.IntN(10) > 0 {
					fmt.Fprintf(&b, "        value: %s\n", fmt.Sprintf(pick("%d", "%#x", "'%d'", "\"%#x\""), gen.Word(r)))
				} else if once() {
					b.WriteString("        value: " + pick("-1", "x", "0x10000000000000000") + "\n")
				}
			}
		}
	}
	return b.String()
}
