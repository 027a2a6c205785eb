// Package scmp compiles profiles with the system's libseccomp, making the calls
// that runc makes: it is the oracle for what a profile means to a container.
//
// libseccomp resolves names on the ABI it was built for, x86_64 here, and
// translates them by name for every other, so one build serves for all ABIs.
package scmp

/*
#cgo LDFLAGS: -lseccomp
#include <stdlib.h>
#include <seccomp.h>
*/
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"syscall"
	"unsafe"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// Options choose what runc leaves to circumstances. The zero value is runc.
type Options struct {
	// Level is libseccomp's optimisation level, 1 for a list and 2 for a tree; 0
	// is runc's choice, a tree for profiles of more than 32 names.
	Level int
	// NoStub leaves out the instructions that runc puts in front of libseccomp's
	// and that answer ENOSYS to numbers newer than the profile.
	NoStub bool
}

// errnoEPERM is the data of ERRNO and TRACE actions whose profile gives none.
const errnoEPERM = 1

// treeFrom is the number of names from which runc asks for a tree.
const treeFrom = 33

// Version returns the version of libseccomp, such as "2.5.4".
func Version() string {
	v := C.seccomp_version()
	return fmt.Sprintf("%d.%d.%d", v.major, v.minor, v.micro)
}

// Token returns libseccomp's number for an ABI: its AUDIT_ARCH value, but for
// x32, which has one of its own (seccomp.h: SCMP_ARCH_X32).
func Token(a arch.ABI) uint32 {
	if a == arch.X32 {
		return C.SCMP_ARCH_X32
	}
	return a.Audit()
}

// Supports reports whether this libseccomp knows the ABI.
func Supports(a arch.ABI) bool {
	_, known := Resolve(a, "read")
	return known
}

// Resolve returns libseccomp's number for a name on one ABI. Numbers below zero
// stand for calls that it knows and that the ABI lacks or multiplexes.
func Resolve(a arch.ABI, name string) (nr int32, known bool) {
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	nr = int32(C.seccomp_syscall_resolve_name_arch(C.uint32_t(Token(a)), s))
	return nr, nr != C.__NR_SCMP_ERROR
}

// Compile returns the program that runc would load for a profile on a host that
// presents exactly these ABIs. Errors of libseccomp wrap its [syscall.Errno]:
// EEXIST for rules that it finds contradictory.
func Compile(s *specs.LinuxSeccomp, abis []arch.ABI, o Options) (*cbpf.Program, error) {
	calls, err := expand(s)
	if err != nil {
		return nil, err
	}
	def, err := action(s.DefaultAction, s.DefaultErrnoRet)
	if err != nil {
		return nil, err
	}
	if err := notifiable(def, calls); err != nil {
		return nil, err
	}
	f, err := newFilter(def, abis)
	if err != nil {
		return nil, err
	}
	defer C.seccomp_release(f.ctx)
	if o.Level == 0 && len(calls) >= treeFrom {
		o.Level = 2
	}
	if o.Level != 0 {
		if rc := C.seccomp_attr_set(f.ctx, C.SCMP_FLTATR_CTL_OPTIMIZE, C.uint32_t(o.Level)); rc != 0 {
			return nil, failed("set optimisation level", rc)
		}
	}
	for _, c := range calls {
		if err := f.add(&c); err != nil {
			return nil, err
		}
	}
	text, err := f.export()
	if err != nil {
		return nil, err
	}
	order := abis[0].ByteOrder()
	body, err := cbpf.Decode(text, order)
	if err != nil {
		return nil, err
	}
	code := body.Raw()
	if abis[0].ByteOrder() == binary.BigEndian {
		code = repaired(code)
	}
	if !o.NoStub && denies(def) {
		code = append(stub(calls, abis), code...)
	}
	return cbpf.New(code, order)
}

// repaired returns a big-endian program as libseccomp makes it on a big-endian
// host. On others it forgets to swap the bytes of some returns.
func repaired(code []bpf.RawInstruction) []bpf.RawInstruction {
	for i := range code {
		if swapped := bits.ReverseBytes32(code[i].K); code[i].Op == ret && !isAction(code[i].K) && isAction(swapped) {
			code[i].K = swapped
		}
	}
	return code
}

// isAction reports whether a word is one that profiles can ask for.
func isAction(word uint32) bool {
	a := cbpf.Action(word)
	switch a.Class() {
	case cbpf.ErrnoClass:
		return a.Data() < 4096
	case cbpf.TraceClass:
		return true
	}
	return a.Effective() == a && a.Data() == 0
}

// ErrNotify is wrapped by errors about NOTIFY where runc does not take it.
var ErrNotify = errors.New("NOTIFY cannot be used")

// notifiable makes runc's own checks: it writes to its parent under the filter.
func notifiable(def cbpf.Action, calls []call) error {
	for _, c := range calls {
		if c.action == cbpf.Notify && c.name == "write" {
			return fmt.Errorf("scmp: %w for write", ErrNotify)
		}
	}
	if def == cbpf.Notify {
		return fmt.Errorf("scmp: %w as default action", ErrNotify)
	}
	return nil
}

// A call is one name of one entry of a profile.
type call struct {
	name   string
	action cbpf.Action
	args   []C.struct_scmp_arg_cmp
	// apart makes each condition a rule of its own: an index occurs twice.
	apart bool
}

func expand(s *specs.LinuxSeccomp) ([]call, error) {
	var calls []call
	for _, e := range s.Syscalls {
		act, err := action(e.Action, e.ErrnoRet)
		if err != nil {
			return nil, err
		}
		var seen [6]bool
		c := call{action: act}
		for _, a := range e.Args {
			if a.Index > 5 {
				return nil, fmt.Errorf("scmp: argument index %d: syscalls have up to 6 arguments", a.Index)
			}
			op, err := operator(a.Op)
			if err != nil {
				return nil, err
			}
			c.apart = c.apart || seen[a.Index]
			seen[a.Index] = true
			c.args = append(c.args, C.struct_scmp_arg_cmp{
				arg: C.uint(a.Index), op: op, datum_a: C.scmp_datum_t(a.Value), datum_b: C.scmp_datum_t(a.ValueTwo),
			})
		}
		for _, name := range e.Names {
			c.name = name
			calls = append(calls, c)
		}
	}
	return calls, nil
}

func action(a specs.LinuxSeccompAction, errno *uint) (cbpf.Action, error) {
	data := uint16(errnoEPERM)
	if errno != nil {
		data = uint16(*errno)
	}
	switch a {
	case specs.ActKill, specs.ActKillThread:
		return cbpf.KillThread, nil
	case specs.ActKillProcess:
		return cbpf.KillProcess, nil
	case specs.ActTrap:
		return cbpf.Trap, nil
	case specs.ActErrno:
		return cbpf.Errno(data), nil
	case specs.ActTrace:
		return cbpf.Trace(data), nil
	case specs.ActNotify:
		return cbpf.Notify, nil
	case specs.ActLog:
		return cbpf.Log, nil
	case specs.ActAllow:
		return cbpf.Allow, nil
	}
	return 0, fmt.Errorf("scmp: unknown action %q", a)
}

func operator(op specs.LinuxSeccompOperator) (uint32, error) {
	switch op {
	case specs.OpNotEqual:
		return C.SCMP_CMP_NE, nil
	case specs.OpLessThan:
		return C.SCMP_CMP_LT, nil
	case specs.OpLessEqual:
		return C.SCMP_CMP_LE, nil
	case specs.OpEqualTo:
		return C.SCMP_CMP_EQ, nil
	case specs.OpGreaterEqual:
		return C.SCMP_CMP_GE, nil
	case specs.OpGreaterThan:
		return C.SCMP_CMP_GT, nil
	case specs.OpMaskedEqual:
		return C.SCMP_CMP_MASKED_EQ, nil
	}
	return 0, fmt.Errorf("scmp: unknown operator %q", op)
}

// A filter is a libseccomp context.
type filter struct {
	ctx C.scmp_filter_ctx
	def cbpf.Action
}

// newFilter returns a context with these ABIs. libseccomp puts the one it was
// built for into every context; taking that out first also unlocks the byte order.
func newFilter(def cbpf.Action, abis []arch.ABI) (*filter, error) {
	if len(abis) == 0 {
		return nil, errors.New("scmp: no ABI")
	}
	ctx := C.seccomp_init(C.uint32_t(def))
	if ctx == nil {
		return nil, fmt.Errorf("scmp: libseccomp takes no default action %#x", uint32(def))
	}
	f := &filter{ctx: ctx, def: def}
	if rc := C.seccomp_arch_remove(ctx, C.SCMP_ARCH_NATIVE); rc != 0 {
		C.seccomp_release(ctx)
		return nil, failed("remove the native ABI", rc)
	}
	for _, a := range abis {
		if rc := C.seccomp_arch_add(ctx, C.uint32_t(Token(a))); rc != 0 && -rc != C.int(unix.EEXIST) {
			C.seccomp_release(ctx)
			return nil, failed("add "+a.String(), rc)
		}
	}
	return f, nil
}

// add adds the rules of one call. A rule that does what the default does is
// dropped before its name is looked up, and so is a name that libseccomp lacks.
func (f *filter) add(c *call) error {
	if c.action == f.def {
		return nil
	}
	name := C.CString(c.name)
	defer C.free(unsafe.Pointer(name))
	nr := C.seccomp_syscall_resolve_name(name)
	if nr == C.__NR_SCMP_ERROR {
		return nil
	}
	if !c.apart {
		return f.addRule(c, nr, c.args)
	}
	for i := range c.args {
		if err := f.addRule(c, nr, c.args[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (f *filter) addRule(c *call, nr C.int, args []C.struct_scmp_arg_cmp) error {
	rc := C.seccomp_rule_add_array(f.ctx, C.uint32_t(c.action), nr, C.uint(len(args)), unsafe.SliceData(args))
	if rc != 0 {
		return failed("add a rule for "+c.name, rc)
	}
	return nil
}

// export returns the program as an array of struct sock_filter in its target's
// byte order. A file in memory takes any length; a pipe would block.
func (f *filter) export() ([]byte, error) {
	fd, err := unix.MemfdCreate("filter", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("scmp: %w", err)
	}
	file := os.NewFile(uintptr(fd), "filter")
	defer file.Close()
	if rc := C.seccomp_export_bpf(f.ctx, C.int(fd)); rc != 0 {
		return nil, failed("export", rc)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("scmp: %w", err)
	}
	return io.ReadAll(file)
}

func failed(what string, rc C.int) error {
	return fmt.Errorf("scmp: %s: %w", what, syscall.Errno(-rc))
}
