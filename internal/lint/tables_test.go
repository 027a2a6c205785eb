package lint

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// Every call that a list names exists.
func TestListsNameCalls(t *testing.T) {
	lists := []string{twins, ringCalls, placing, Crun.handover().early, Crun.handover().late, Runc.handover().early, Runc.handover().late, Runc.handover().racy}
	for _, p := range programs {
		lists = append(lists, p.needs, p.makes)
	}
	for line := range strings.Lines(narrow) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		lists = append(lists, name)
	}
	for _, list := range lists {
		for name := range strings.FieldsSeq(strings.ReplaceAll(list, "|", " ")) {
			if _, ok := syscalltables.Lookup(name); !ok {
				t.Errorf("%s is no call", name)
			}
		}
	}
}

// The vDSO's calls are calls of the ABI.
func TestVDSOHasCalls(t *testing.T) {
	for a := range arch.All() {
		for name := range strings.FieldsSeq(vdso(a)) {
			call, _ := syscalltables.Lookup(name)
			if _, ok := call.Number(a); !ok {
				t.Errorf("%v has no %s", a, name)
			}
		}
	}
}

func TestNarrowArgumentsExist(t *testing.T) {
	for line := range strings.Lines(strings.TrimSpace(narrow)) {
		fields := strings.Fields(line)
		call, _ := syscalltables.Lookup(fields[0])
		for _, index := range fields[1:] {
			if args := call.Args(arch.X86_64); len(index) != 1 || int(index[0]-'0') >= len(args) {
				t.Errorf("%s has arguments %q, not %s", fields[0], args, index)
			}
		}
	}
}

func TestPodmanErrnosExist(t *testing.T) {
	for name := range strings.FieldsSeq(podmanErrnos) {
		if _, ok := arch.X86_64.Errno(name); !ok {
			t.Errorf("%s is no error", name)
		}
	}
}
