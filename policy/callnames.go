package policy

import (
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

// Names gives the names of package syscalltables to the disassembler and assembler of
// package cbpf.
// It recognises ABIs as filters do, by the AUDIT_ARCH value and the number of a call.
func Names() cbpf.Names { return filterNames{} }

type filterNames struct{}

// ABI names the ABI of a call: "x86_64"; "" if the AUDIT_ARCH value is not known.
func (filterNames) ABI(audit, nr uint32) string {
	if a, ok := arch.ByAudit(audit, nr); ok {
		return a.String()
	}
	return ""
}

// Audit returns the AUDIT_ARCH value of an ABI, by any name that [arch.Parse]
// takes.
func (filterNames) Audit(abi string) (audit uint32, ok bool) {
	a, err := arch.Parse(abi)
	return a.Audit(), err == nil
}

// Syscall names a number, base and x32 bit included; "" if it is not known.
func (filterNames) Syscall(audit, nr uint32) string {
	a, _ := arch.ByAudit(audit, nr)
	c, _ := syscalltables.ByNumber(a, nr)
	return c.Name()
}

// Number returns the number of a call in an ABI, base and x32 bit included.
func (filterNames) Number(abi, syscall string) (nr uint32, ok bool) {
	a, err := arch.Parse(abi)
	c, known := syscalltables.Lookup(syscall)
	if err != nil || !known {
		return 0, false
	}
	return c.Number(a)
}

// Arg names an argument of a call, counted from 0; "" if it is not known.
func (filterNames) Arg(audit, nr uint32, index int) string {
	a, _ := arch.ByAudit(audit, nr)
	c, _ := syscalltables.ByNumber(a, nr)
	if args := c.Args(a); 0 <= index && index < len(args) {
		return args[index]
	}
	return ""
}

// Errno names an error number as the ABI's kernel counts them; "" if it is not
// known.
func (filterNames) Errno(audit uint32, errno uint16) string {
	a, _ := arch.ByAudit(audit, 0)
	return a.ErrnoName(errno)
}
