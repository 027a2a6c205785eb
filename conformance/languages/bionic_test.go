package languages

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/bionic"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A model makes the filter that bionic makes of a set of lists: a tree over the ranges of
// numbers for each ABI, behind the calls of the priority list.
type model struct{ text strings.Builder }

// abi writes the part for one ABI, which ends in TRAP.
func (m *model) abi(a arch.ABI, allowed map[string]bool, first []string) {
	fmt.Fprintf(&m.text, "abi%d: ld nr\n", a)
	var numbers []uint32
	var early []uint32
	for name := range allowed {
		c, _ := syscalltables.Lookup(name)
		if nr, ok := c.Number(a); ok && !slices.Contains(first, name) {
			numbers = append(numbers, nr)
		}
	}
	for _, name := range first {
		c, _ := syscalltables.Lookup(name)
		if nr, ok := c.Number(a); ok && allowed[name] {
			early = append(early, nr)
		}
	}
	slices.Sort(numbers)
	var ranges [][2]uint32 // first, and behind the last
	for _, nr := range numbers {
		if n := len(ranges); n > 0 && ranges[n-1][1] == nr {
			ranges[n-1][1]++
		} else {
			ranges = append(ranges, [2]uint32{nr, nr + 1})
		}
	}
	fmt.Fprintf(&m.text, "jge #%d jf trap%d\n", ranges[0][0], a)
	for _, nr := range early {
		fmt.Fprintf(&m.text, "jeq #%d jt allow%d\n", nr, a)
	}
	m.tree(a, ranges)
	fmt.Fprintf(&m.text, "allow%d: ret ALLOW\ntrap%d: ret TRAP\n", a, a)
}

func (m *model) tree(a arch.ABI, ranges [][2]uint32) {
	if len(ranges) == 1 {
		fmt.Fprintf(&m.text, "jge #%d jt trap%d jf allow%d\n", ranges[0][1], a, a)
		return
	}
	half := (len(ranges) + 1) / 2
	label := fmt.Sprintf("n%d_%d", a, ranges[half][0])
	fmt.Fprintf(&m.text, "jge #%d jt %s\n", ranges[half][0], label)
	m.tree(a, ranges[:half])
	m.text.WriteString(label + ": ")
	m.tree(a, ranges[half:])
}

// Lists in bionic's form mean what a filter that is built as bionic's are does. There are
// no filters of bionic's own to compare with.
func TestBionic(t *testing.T) {
	var rows []row
	for _, targets := range [][]arch.ABI{{arch.AArch64, arch.ARM}, {arch.X86_64, arch.X86}, {arch.RISCV64}} {
		r := row{set: "bionic/" + targets[0].String()}
		steps, ourSteps := 0, 0
		for every := 6; every < 20; every++ { // some of the calls: no jump of bionic's may skip more than 255 instructions
			lists, allowed, first := someLists(every)
			m := &model{}
			m.text.WriteString(".order little\nld arch\n")
			for _, a := range targets {
				fmt.Fprintf(&m.text, "jeq #%#x jt abi%d\n", a.Audit(), a)
			}
			m.text.WriteString("ret TRAP\n")
			for _, a := range targets {
				m.abi(a, allowed[a], first)
			}
			theirs, err := cbpf.Assemble([]byte(m.text.String()), nil)
			if err != nil {
				t.Fatal(err)
			}
			source := language.NewSource(lists["SYSCALLS.TXT"].Data).In(lists, "SYSCALLS.TXT")
			reading, err := bionic.Language{Process: "app_zygote", Targets: targets}.Read(source, policy.Target{})
			if err != nil {
				t.Fatal(err)
			}
			resolved, _, err := policy.Resolve(reading.Policy, policy.Options{})
			if err != nil {
				t.Fatal(err)
			}
			ours, _, err := compiler.Compile(resolved, compiler.Options{})
			if err != nil {
				t.Fatal(err)
			}
			r.files++
			r.theirs += theirs.Len()
			r.ours += ours.Len()
			steps += executedOn(theirs, targets...)
			ourSteps += executedOn(ours, targets...)
			answer, err := proof.Equal(proof.Program(theirs), proof.Program(ours), proof.Limits{})
			if err != nil || answer.Verdict != proof.Same {
				r.differ++
				t.Errorf("%s, every %d: %v %v %v", r.set, every, answer.Verdict, answer.Witness, err)
			} else {
				r.equal++
			}
		}
		t.Logf("%s: executed instructions, theirs %d, ours %d", r.set, steps, ourSteps)
		if ourSteps > steps {
			t.Errorf("%s: ours execute more instructions", r.set)
		}
		rows = append(rows, r)
	}
	table(t, rows)
}

// someLists returns lists with some calls of each ABI, which calls they allow, and the ones to
// test first.
func someLists(every int) (fstest.MapFS, map[arch.ABI]map[string]bool, []string) {
	var base, more, less strings.Builder
	allowed := make(map[arch.ABI]map[string]bool)
	for name, a := range map[string]arch.ABI{"arm": arch.ARM, "arm64": arch.AArch64, "riscv64": arch.RISCV64, "x86": arch.X86, "x86_64": arch.X86_64} {
		allowed[a] = make(map[string]bool)
		i := 0
		for nr, c := range syscalltables.All(a) {
			call := c.Name()
			if nr > 1000 {
				call = "__ARM_NR_" + call
			}
			switch i++; {
			case i%every == 1 || call == "futex" || call == "ioctl": // and the first of all
				fmt.Fprintf(&base, "int f%d:%s(void) %s\n", i, call, name)
			case i%every == 0:
				fmt.Fprintf(&more, "long %s(int, ...) %s\n", call, name)
			case i%(every+1) == 0:
				fmt.Fprintf(&base, "int %s(int) %s\n", call, name)
				fmt.Fprintf(&less, "int %s(int) %s\n", call, name)
				continue
			default:
				continue
			}
			allowed[a][c.Name()] = true
		}
	}
	return fstest.MapFS{
		"SYSCALLS.TXT":                 {Data: []byte(base.String())},
		"SECCOMP_ALLOWLIST_COMMON.TXT": {Data: []byte(more.String())},
		"SECCOMP_BLOCKLIST_COMMON.TXT": {Data: []byte(less.String())},
		"SECCOMP_PRIORITY.TXT":         {Data: []byte("futex\nioctl\n")},
	}, allowed, []string{"futex", "ioctl"}
}
