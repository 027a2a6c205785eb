package scan

import (
	"os"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
	"github.com/seccompile/seccompile/policy"
)

// allSites returns the calls that any system-call instruction of some files can make,
// whether it can be reached or not, and whether the first of them is a Go program. Where the
// number comes from the callers within the file, their constants count.
func allSites(t *testing.T, files []string) (calls set, golang bool) {
	t.Helper()
	calls = make(set)
	for i, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := object.Read(path, data)
		if err != nil {
			t.Fatal(err)
		}
		m, err := code.Read(f)
		if err != nil {
			t.Fatal(err)
		}
		golang = golang || i == 0 && f.Go != nil
		sites(m, func(nr uint64) {
			if name := policy.Names().Syscall(abi(f).Audit(), uint32(nr)); name != "" {
				calls[name] = true
			}
		})
	}
	return calls, golang
}

func abi(f *object.File) arch.ABI {
	if f.Machine == object.ARM64 {
		return arch.AArch64
	}
	return arch.X86_64
}

// A wrapper is a function whose callers say in some place which system call it makes.
type wrapper struct {
	addr  uint64
	place code.Place
}

// sites calls a function with the number of each system call.
func sites(m *code.Module, number func(nr uint64)) {
	callers := make(map[uint64][]int)
	for i := range m.Funcs {
		for _, c := range m.Funcs[i].Calls {
			callers[c.To] = append(callers[c.To], i)
		}
	}
	known := make(map[wrapper]bool)
	var todo []wrapper
	note := func(fn int, v code.Value) {
		for _, nr := range v.Consts {
			number(nr)
		}
		for _, place := range v.Entry {
			if w := (wrapper{m.File.Funcs[fn].Addr, place}); !known[w] {
				known[w] = true
				todo = append(todo, w)
			}
		}
	}
	for i := range m.Funcs {
		if len(m.Funcs[i].Sites) > 0 {
			for _, s := range m.Flow(i).Sites {
				note(i, s.Number)
			}
		}
	}
	for len(todo) > 0 {
		w := todo[0]
		todo = todo[1:]
		for _, fn := range callers[w.addr] {
			for i, c := range m.Flow(fn).Calls {
				if i < len(m.Funcs[fn].Calls) && m.Funcs[fn].Calls[i].To == w.addr {
					note(fn, c.Entry(w.place))
				}
			}
		}
	}
}
