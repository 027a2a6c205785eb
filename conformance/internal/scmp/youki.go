package scmp

/*
#include <seccomp.h>
*/
import "C"

import (
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// Youki returns the program that youki would load for a profile on a host that presents
// exactly these ABIs: libseccomp's as it comes, from youki's order of calls
// (crates/libcontainer/src/seccomp/mod.rs: initialize_seccomp). older means releases
// until April 2026, which add a rule for each condition.
func Youki(s *specs.LinuxSeccomp, abis []arch.ABI, older bool) (*cbpf.Program, error) {
	if s.DefaultAction == specs.ActNotify {
		return nil, fmt.Errorf("scmp: %w as default action", ErrNotify)
	}
	for _, e := range s.Syscalls {
		for _, name := range e.Names {
			if e.Action == specs.ActNotify && name == "write" {
				return nil, fmt.Errorf("scmp: %w for write", ErrNotify)
			}
		}
	}
	def, err := youkiAction(s.DefaultAction, s.DefaultErrnoRet)
	if err != nil {
		return nil, err
	}
	f, err := newFilter(def, abis)
	if err != nil {
		return nil, err
	}
	defer C.seccomp_release(f.ctx)
	for _, e := range s.Syscalls {
		act, err := youkiAction(e.Action, e.ErrnoRet)
		if err != nil {
			return nil, err
		}
		c := call{action: act, apart: older}
		var seen [6]bool
		for _, a := range e.Args {
			op, err := operator(a.Op)
			if err != nil {
				return nil, err
			}
			if a.Index < 6 { // libseccomp refuses others
				c.apart = c.apart || seen[a.Index]
				seen[a.Index] = true
			}
			c.args = append(c.args, C.struct_scmp_arg_cmp{
				arg: C.uint(a.Index), op: op, datum_a: C.scmp_datum_t(a.Value), datum_b: C.scmp_datum_t(a.ValueTwo),
			})
		}
		c.apart = c.apart && e.Args != nil // absent, and not empty
		for _, c.name = range e.Names {
			if err := f.add(&c); err != nil {
				return nil, err
			}
		}
	}
	text, err := f.export()
	if err != nil {
		return nil, err
	}
	return cbpf.Decode(text, abis[0].ByteOrder())
}

// youkiAction is action, which youki refuses for data of TRACE that have more than 16 bits.
func youkiAction(a specs.LinuxSeccompAction, errno *uint) (cbpf.Action, error) {
	if a == specs.ActTrace && errno != nil && *errno>>16 != 0 {
		return 0, errors.New("scmp: data of TRACE that have more than 16 bits")
	}
	return action(a, errno)
}
