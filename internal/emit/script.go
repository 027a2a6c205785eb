package emit

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/syscalltables"
)

// targets returns the ABIs that a script accepts: those of the filter.
func (e *Filter) targets(p *cbpf.Program) (abis []arch.ABI) {
	if e.ABIs == nil {
		return stats.Known(p)
	}
	for _, name := range e.ABIs {
		if a, err := arch.Parse(name); err == nil {
			abis = append(abis, a)
		}
	}
	return abis
}

// machines returns how uname(2)'s names of the machines begin that run programs of an ABI.
// There are none if a script cannot tell that it is such a program: those of x32 look like
// those of x86, and those of MIPS n32 like those of o32.
func machines(a arch.ABI) []string {
	switch a {
	case arch.X86:
		return []string{"i", "x86_64"}
	case arch.ARM:
		return []string{"arm", "aarch64"}
	case arch.X32, arch.MIPS64N32, arch.MIPSEL64N32:
		return nil
	case arch.MIPSEL: // the byte order tells it and the next three apart
		return []string{"mips"}
	case arch.MIPSEL64:
		return []string{"mips64"}
	case arch.PPC64LE:
		return []string{"ppc64"}
	case arch.SHEB:
		return []string{"sh"}
	}
	return []string{a.String()}
}

// scriptLines returns a program in its byte order as hexadecimal text, four instructions a
// line.
func scriptLines(p *cbpf.Program) ([]string, error) {
	raw, err := p.AppendBinary(nil)
	var lines []string
	for line := range slices.Chunk(raw, 32) {
		lines = append(lines, hex.EncodeToString(line))
	}
	return lines, err
}

// pythonText is the module of -f python. Its verbs are the comment, the byte order, the
// ABIs, the flags and the filter.
const pythonText = "# " + generated + `
# %s.
#
# install() puts the filter in force for good, in all threads. For another program:
#     subprocess.run(["program"], preexec_fn=install)
# FILTER has the bytes that bwrap --seccomp reads.
import ctypes, os, struct, sys

BYTE_ORDER = "%s"
# How os.uname().machine begins, the bytes of a pointer, and the number of seccomp(2).
ABIS = [%s]
FLAGS = %#x  # %s

FILTER = bytes.fromhex("""
%s
""")


class _Program(ctypes.Structure):  # linux/filter.h: struct sock_fprog
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def install():
    """Put the filter in force. If that fails, raise OSError: run nothing then."""
    machine, pointer = os.uname().machine, struct.calcsize("P")
    calls = [nr for name, size, nr in ABIS if machine.startswith(name) and size == pointer]
    if sys.platform != "linux" or sys.byteorder != BYTE_ORDER or not calls:
        raise OSError("the filter is for another machine than %%s with pointers of %%d bytes" %% (machine, pointer))
    libc = ctypes.CDLL(None, use_errno=True)
    long, zero = ctypes.c_ulong, ctypes.c_ulong(0)
    if libc.prctl(38, long(1), zero, zero, zero) != 0:  # PR_SET_NO_NEW_PRIVS
        raise OSError(ctypes.get_errno(), "prctl: " + os.strerror(ctypes.get_errno()))
    program = _Program(len(FILTER) // 8, FILTER)
    libc.syscall.restype = ctypes.c_long
    failed = libc.syscall(long(calls[0]), long(1), long(FLAGS), ctypes.byref(program))  # SECCOMP_SET_MODE_FILTER
    if failed > 0:
        raise OSError("thread %%d has a filter that this process does not have" %% failed)
    if failed != 0:
        raise OSError(ctypes.get_errno(), "seccomp: " + os.strerror(ctypes.get_errno()))
`

// renderPython writes a module of Python that has the filter and installs it.
func (e *Filter) renderPython(p *cbpf.Program) ([]byte, error) {
	if p.Returns(cbpf.Notify) {
		return nil, failure.Usagef("-f python: the filter notifies a listener, but the module starts none").Hintf("install the filter with package loader")
	}
	lines, err := scriptLines(p)
	if err != nil {
		return nil, err
	}
	seccomp, _ := syscalltables.Lookup("seccomp")
	var abis []string
	for _, a := range e.targets(p) {
		for _, name := range machines(a) {
			nr, _ := seccomp.Number(a)
			abis = append(abis, fmt.Sprintf(`("%s", %d, %d)`, name, a.Bits()/8, nr))
		}
	}
	if len(abis) == 0 && len(e.ABIs) > 0 {
		return nil, e.noMachine(Python, "Python")
	}
	flags := cbpf.TSync
	for _, f := range e.Flags {
		flags |= f &^ cbpf.WaitKillableRecv // which needs a listener
	}
	return fmt.Appendf(nil, pythonText, e.comment(p), intake.OrderName(p.Order()), strings.Join(abis, ", "),
		uint32(flags), flags, strings.Join(lines, "\n")), nil
}

// jsText is the module of -f js. Its verbs are the comment, the byte order, the
// architectures, the ABIs and the filter.
const jsText = "// " + generated + `
// %s.
//
// bubblewrap puts it in force:
//     const sandbox = spawn("bwrap", ["--seccomp", "3", ...args], { stdio: ["inherit", "inherit", "inherit", "pipe"] });
//     sandbox.stdio[3].end(filter);
import { Buffer } from "node:buffer";
import { endianness } from "node:os";
import process from "node:process";

if (process.platform !== "linux" || endianness() !== "%s" || ![%s].includes(process.arch)) {
  throw new Error(` + "`the filter is for another machine than ${process.platform} on ${process.arch}`" + `);
}

export const filter = Buffer.from([
%s].join(""), "hex");
`

// renderJS writes an ECMAScript module for Node.js that has the filter.
func (e *Filter) renderJS(p *cbpf.Program) ([]byte, error) {
	lines, err := scriptLines(p)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, a := range e.targets(p) {
		if name := nodeName(a); name != "" {
			names = append(names, fmt.Sprintf("%q", name))
		}
	}
	if len(names) == 0 && len(e.ABIs) > 0 {
		return nil, e.noMachine(JS, "Node.js")
	}
	order := "LE"
	if intake.OrderName(p.Order()) == "big" {
		order = "BE"
	}
	var b bytes.Buffer
	for _, line := range lines {
		fmt.Fprintf(&b, "  %q,\n", line)
	}
	return fmt.Appendf(nil, jsText, e.comment(p), order, strings.Join(names, ", "), b.String()), nil
}

// nodeName returns the process.arch of Node.js for an ABI, "" if it has none.
func nodeName(a arch.ABI) string {
	switch name := a.GOARCH(); name {
	case "amd64":
		return "x64"
	case "386":
		return "ia32"
	case "mipsle", "mips64le":
		return strings.TrimSuffix(name, "le") + "el"
	case "ppc64le": // the byte order tells it apart
		return "ppc64"
	case "mips64p32", "mips64p32le": // programs of n32, which machines cannot tell either
		return ""
	default:
		return name
	}
}

// noMachine says that no program of an interpreter can have the filter.
func (e *Filter) noMachine(format, interpreter string) error {
	return failure.Usagef("-f %s: %s has no name for a machine of %s", format, interpreter, strings.Join(e.ABIs, ", ")).
		Hintf("add the kernel's main ABI to -a, or write -f raw")
}
