package code

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// TestObjdump compares the reading of libraries with that of GNU objdump: where instructions
// begin, and which write a general register. It runs with SECCOMPILE_LONG, where objdump and
// the libraries are there.
func TestObjdump(t *testing.T) {
	if os.Getenv("SECCOMPILE_LONG") == "" {
		t.Skip("SECCOMPILE_LONG is not set")
	}
	for _, test := range []struct {
		objdump string
		paths   []string
		compare func(addr uint64, size int, text string, code []byte, report func(string, ...any))
	}{
		{"objdump", []string{
			"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
			"/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/usr/lib/x86_64-linux-gnu/libavcodec.so.*",
		}, compareAMD64},
		{"aarch64-linux-gnu-objdump", []string{
			"/usr/aarch64-linux-gnu/lib/libc.so.6", "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1",
			"/usr/aarch64-linux-gnu/lib/libstdc++.so.6", "/usr/aarch64-linux-gnu/lib/libgcc_s.so.1",
		}, compareARM64},
	} {
		if _, err := exec.LookPath(test.objdump); err != nil {
			t.Logf("%s is not installed", test.objdump)
			continue
		}
		for _, pattern := range test.paths {
			paths, _ := filepath.Glob(pattern)
			if len(paths) == 0 {
				t.Logf("%s is not installed", pattern)
				continue
			}
			t.Run(filepath.Base(paths[0]), func(t *testing.T) { compareObjdump(t, test.objdump, paths[0], test.compare) })
		}
	}
}

var objdumpLine = regexp.MustCompile(`^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+|[0-9a-f]{8}) *\t?(.*)$`)

func compareObjdump(t *testing.T, objdump, path string, compare func(uint64, int, string, []byte, func(string, ...any))) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := object.Read(path, data)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(objdump, "-d", "-w", "-M", "intel", path)
	if file.Machine == object.ARM64 {
		cmd = exec.Command(objdump, "-d", "-w", path)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, wrong := 0, 0
	report := func(format string, args ...any) {
		if wrong++; wrong <= 20 {
			t.Errorf(format, args...)
		}
	}
	for s := bufio.NewScanner(out); s.Scan(); {
		m := objdumpLine.FindStringSubmatch(s.Text())
		if m == nil {
			continue
		}
		addr, _ := strconv.ParseUint(m[1], 16, 64)
		size, text := len(strings.Fields(m[2])), strings.ReplaceAll(m[3], "\t", " ")
		// Between functions lie tables, which read as anything.
		if fn := file.Func(addr); fn < 0 || file.Funcs[fn].Gap || strings.Contains(text, "(bad)") {
			continue
		}
		lines++
		compare(addr, size, text, file.Bytes(addr), report)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if lines < 1000 {
		t.Errorf("read only %d instructions from objdump", lines)
	}
	t.Logf("%d instructions, %d differ", lines, wrong)
}

// compareARM64 compares the reading of an aarch64 instruction with objdump's text of it.
func compareARM64(addr uint64, _ int, text string, code []byte, report func(string, ...any)) {
	name, operands, _ := strings.Cut(text, " ")
	if onlyReads.MatchString(name) || name == ".inst" {
		return
	}
	list := strings.Split(operands, ",")
	written := list[:1]
	if strings.HasPrefix(name, "ldp") || strings.HasPrefix(name, "ldxp") || strings.HasPrefix(name, "ldaxp") {
		written = list[:2]
	}
	ops := translateARM64(code[:4], addr, nil)
	for _, w := range written {
		w = strings.TrimSpace(w)
		n, err := strconv.Atoi(strings.TrimLeft(w, "xw"))
		if w == "sp" {
			n, err = 31, nil
		}
		if err != nil || w[0] != 'x' && w[0] != 'w' && w != "sp" {
			continue
		}
		if !slices.ContainsFunc(ops, func(o op) bool { return o.dst == reg(n) && writesReg(o.kind) }) {
			report("%#x %s: nothing writes register %d: %+v", addr, text, n, ops)
		}
	}
	if m := writeBack.FindStringSubmatch(operands); m != nil {
		n, err := strconv.Atoi(m[1][1:])
		if err != nil {
			n = 31 // SP
		}
		if !slices.ContainsFunc(ops, func(o op) bool { return o.dst == reg(n) && writesReg(o.kind) }) {
			report("%#x %s: nothing writes the base: %+v", addr, text, ops)
		}
	}
}

// writeBack matches memory operands that change their base.
var writeBack = regexp.MustCompile(`\[(x\d+|sp)(?:[^\]]*\]!|\], )`)

// onlyReads are aarch64 instructions whose first operand is not written. STXR writes it.
var onlyReads = regexp.MustCompile(`^(st[rputzgn1-4].*|stlu?r[bh]?$|sta|stclr|stset|cmp|cmn|tst|ccm|cb|tb|b$|bl$|br$|blr$|ret|msr|dc$|ic$|at$|tlbi|prfm|prfum|hint|sys$|rmif|setf|autia|cf)`)

func writesReg(k opKind) bool { return k != opStore && k != opTouch && k < opCall }

// compareAMD64 compares the reading of the instruction at the start of code with objdump's text of it.
func compareAMD64(addr uint64, size int, text string, code []byte, report func(string, ...any)) {
	in, ok := decodeInst(code)
	if !ok || in.length != size {
		// objdump shows some prefixes as instructions of their own.
		if rest := strings.Fields(text); len(rest) > 0 && !isPrefix(rest[len(rest)-1]) {
			report("%#x %s: length %d, objdump has %d (% x)", addr, text, in.length, size, code[:size])
		}
		return
	}
	ops := translateAMD64(code[:size], addr, nil)
	for _, want := range writes(text) {
		if !slices.ContainsFunc(ops, func(o op) bool {
			return o.dst == want && writesReg(o.kind)
		}) {
			report("%#x %s: nothing writes register %d: %+v", addr, text, want, ops)
		}
	}
}

func isPrefix(word string) bool {
	switch word {
	case "lock", "rep", "repz", "repnz", "data16", "addr32", "cs", "ds", "es", "ss", "fs", "gs", "notrack", "bnd", "rex", "xacquire", "xrelease":
		return true
	}
	return strings.HasPrefix(word, "rex.")
}

// noWrite are instructions whose first operand is only read.
var noWrite = regexp.MustCompile(`^(in$|cmp|test|push|call|jmp|bt|nop|ud|prefetch|mul|imul|div|idiv|ltr|lldt|lmsw|wr|verr|verw|ptwrite|out|vmptrld|invlpg|umwait|tpause|hreset|ld)`)

// writes returns the general registers that an instruction writes in objdump's Intel syntax.
func writes(text string) []reg {
	fields := strings.Fields(text)
	for len(fields) > 1 && isPrefix(fields[0]) {
		fields = fields[1:]
	}
	if len(fields) < 2 || text == "xchg   ax,ax" {
		return nil
	}
	operands := strings.Split(strings.Join(fields[1:], " "), ",")
	written := operands[:1]
	switch name := fields[0]; {
	case name == "xchg" || name == "xadd" || name == "mulx":
		written = operands[:min(2, len(operands))]
	case name == "imul" && len(operands) > 1, name == "btr", name == "bts", name == "btc":
	case noWrite.MatchString(name):
		return nil
	}
	var regs []reg
	for _, o := range written {
		if r, ok := registers[strings.Fields(o + " ?")[0]]; ok {
			regs = append(regs, r)
		}
	}
	return regs
}

// registers has the general registers by all their names.
var registers = func() map[string]reg {
	all := map[string]reg{}
	for i, n := range []string{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"} {
		all["r"+n], all["e"+n], all[n] = reg(i), reg(i), reg(i)
		if i < 4 {
			all[n[:1]+"l"], all[n[:1]+"h"] = reg(i), reg(i)
		} else {
			all[n+"l"] = reg(i)
		}
	}
	for i := 8; i < 16; i++ {
		for _, suffix := range []string{"", "d", "w", "b"} {
			all[fmt.Sprintf("r%d%s", i, suffix)] = reg(i)
		}
	}
	return all
}()
