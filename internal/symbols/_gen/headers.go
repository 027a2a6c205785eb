package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A target tells gcc for x86-64 how to read the headers of a column: with its own
// types but the predefined macros of another compiler.
type target struct {
	column, dir string // below usr/lib/linux/uapi
	flags       string
}

// Types of 64 bits are aligned to 8 bytes but on x86, m68k and sh. The byte order
// matters to no constant and is little-endian. The headers of s390 have forgotten the
// 31-bit ABI, which differs in the size of a long alone.
var targets = [...]target{
	{"x86_64", "x86", "-m64 -D__x86_64__"},
	{"x32", "x86", "-mx32 -D__x86_64__ -D__ILP32__"},
	{"x86", "x86", "-m32 -D__i386__"},
	{"arm", "arm", "-m32 -malign-double -D__arm__ -D__ARM_EABI__"},
	{"aarch64", "arm64", "-m64 -D__aarch64__"},
	{"riscv64", "riscv", "-m64 -D__riscv -D__riscv_xlen=64"},
	{"loongarch64", "loongarch", "-m64 -D__loongarch__ -D__loongarch_grlen=64"},
	{"mips", "mips", "-m32 -malign-double -D__mips__ -D__MIPSEL__ -D_MIPS_SIM=1 -D_MIPS_SZLONG=32"},
	{"mips64", "mips", "-m64 -D__mips__ -D__MIPSEL__ -D_MIPS_SIM=3 -D_MIPS_SZLONG=64"},
	{"mips64n32", "mips", "-mx32 -D__mips__ -D__MIPSEL__ -D_MIPS_SIM=2 -D_MIPS_SZLONG=32"},
	{"ppc", "powerpc", "-m32 -malign-double -D__powerpc__"},
	{"ppc64", "powerpc", "-m64 -D__powerpc__ -D__powerpc64__"},
	{"s390", "s390", "-m32 -malign-double -D__s390__ -D__ASM_S390_BITSPERLONG_H -D__BITS_PER_LONG=32"},
	{"s390x", "s390", "-m64 -D__s390__ -D__s390x__"},
	{"m68k", "m68k", "-m32 -D__m68k__ -D__mc68000__"},
	{"parisc", "parisc", "-m32 -malign-double -D__hppa__"},
	{"parisc64", "parisc", "-m64 -D__hppa__ -D__hppa64__ -D__LP64__"},
	{"sh", "sh", "-m32 -D__sh__ -D__LITTLE_ENDIAN__"},
}

// headers are where the constants are.
const headers = `linux/types.h asm/fcntl.h asm/ioctls.h asm/mman.h asm/resource.h asm/signal.h asm/socket.h asm/termbits.h asm/termios.h
linux/blkpg.h linux/blktrace_api.h linux/bpf.h linux/capability.h linux/close_range.h linux/eventfd.h linux/eventpoll.h linux/fadvise.h linux/falloc.h
linux/fanotify.h linux/fcntl.h linux/fiemap.h linux/fs.h linux/futex.h linux/if_tun.h linux/in.h linux/in6.h
linux/inotify.h linux/io_uring.h linux/ioprio.h linux/ipc.h linux/kcmp.h linux/kd.h linux/kexec.h linux/keyctl.h
linux/landlock.h linux/loop.h linux/lsm.h linux/membarrier.h linux/memfd.h linux/mempolicy.h linux/mman.h
linux/module.h linux/mount.h linux/msg.h linux/net.h linux/netlink.h linux/nsfs.h linux/perf_event.h linux/personality.h
linux/pidfd.h linux/prctl.h linux/ptrace.h linux/quota.h linux/random.h linux/reboot.h linux/resource.h linux/rseq.h
linux/sched.h linux/seccomp.h linux/sem.h linux/serial.h linux/shm.h linux/signalfd.h linux/sockios.h linux/stat.h
linux/tcp.h linux/time.h linux/timerfd.h linux/udp.h linux/userfaultfd.h linux/vt.h linux/wait.h linux/watch_queue.h
linux/xattr.h`

// types are those of the C library that headers take for granted.
const types = `
typedef __kernel_size_t size_t;
typedef __kernel_pid_t pid_t;
`

// probe returns the values of all names that the headers below dir know, by name.
func probe(f *facts, dir string) (map[string][len(columns)]value, error) {
	var names []string
	for _, c := range f.rows {
		if !slices.Contains(names, c.name) && !isNumber(c.name) {
			names = append(names, c.name)
		}
	}
	work, err := os.MkdirTemp("", "symbols")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	found := map[string][len(columns)]value{}
	for _, t := range targets {
		values, err := t.probe(names, dir, work)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.column, err)
		}
		for name, v := range values {
			all := found[name]
			all[columnIndex(t.column)] = v
			found[name] = all
		}
	}
	return found, nil
}

// isNumber reports whether a name is a number, which masks without a name have.
func isNumber(name string) bool {
	_, err := strconv.ParseInt(name, 0, 64)
	return err == nil
}

// probe compiles an array with all names and reads it, again and again without
// those that the compiler does not know.
func (t *target) probe(names []string, dir, work string) (map[string]value, error) {
	source, object := filepath.Join(work, "probe.c"), filepath.Join(work, "probe.o")
	names = slices.Clone(names)
	for {
		text, first := t.source(names, dir)
		if err := os.WriteFile(source, text, 0o600); err != nil {
			return nil, err
		}
		args := append(strings.Fields(t.flags), "-undef", "-D__CHAR_BIT__=8", "-D__SIZEOF_POINTER__="+t.pointer(), "-D__SIZEOF_LONG__="+t.pointer(), "-nostdinc", "-w", "-c", "-fmax-errors=0", "-ftrack-macro-expansion=0",
			"-I", filepath.Join(dir, "usr/lib/linux/uapi", t.dir), "-I", filepath.Join(dir, "usr/include"), "-o", object, source)
		if strings.HasPrefix(t.flags, "-m64") {
			args = append(args, "-D__SIZEOF_INT128__=16") // linux/types.h has __u128 then, which arm64's ptrace.h uses since 7.3
		}
		cmd := exec.Command("gcc", args...)
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		msg, err := cmd.CombinedOutput()
		if err == nil {
			return readArray(object, names)
		}
		unknown := badLines(msg, first, len(names))
		if len(unknown) == 0 {
			return nil, fmt.Errorf("gcc: %w\n%s", err, msg)
		}
		for _, i := range slices.Backward(unknown) {
			names = slices.Delete(names, i, i+1)
		}
	}
}

// pointer returns the bytes of a pointer and of a long.
func (t *target) pointer() string {
	if strings.HasPrefix(t.flags, "-m64") {
		return "8"
	}
	return "4"
}

// source returns C whose line first+i is about names[i]. Each name has two words:
// its value, and whether that is a negative int.
func (t *target) source(names []string, dir string) (text []byte, first int) {
	var b bytes.Buffer
	for _, h := range strings.Fields(headers) {
		for _, below := range []string{"usr/lib/linux/uapi/" + t.dir, "usr/include"} {
			if _, err := os.Stat(filepath.Join(dir, below, h)); err == nil {
				fmt.Fprintf(&b, "#include <%s>\n", h)
				break
			}
		}
	}
	if t.dir == "x86" {
		b.WriteString("#include <asm/prctl.h>\n")
	}
	b.WriteString(types)
	b.WriteString("const unsigned long long probed[][2] __attribute__((section(\"words\"))) = {\n")
	first = bytes.Count(b.Bytes(), []byte("\n")) + 1
	for _, n := range names {
		fmt.Fprintf(&b, "{ (unsigned long long)(%s), sizeof(%s) == 4 && (%s) < 0 },\n", n, n, n)
	}
	b.WriteString("};\n")
	return b.Bytes(), first
}

// badLines returns which of n lines from first on the compiler complains of.
func badLines(msg []byte, first, n int) []int {
	var bad []int
	for _, m := range regexp.MustCompile(`probe\.c:(\d+):\d+: error`).FindAllSubmatch(msg, -1) {
		line, _ := strconv.Atoi(string(m[1]))
		if i := line - first; 0 <= i && i < n && !slices.Contains(bad, i) {
			bad = append(bad, i)
		}
	}
	slices.Sort(bad)
	return bad
}

func readArray(object string, names []string) (map[string]value, error) {
	f, err := elf.Open(object)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	section := f.Section("words")
	if section == nil {
		return nil, errors.New("gcc made no section \"words\"")
	}
	data, err := section.Data()
	if err != nil {
		return nil, err
	}
	if len(data) != 16*len(names) {
		return nil, fmt.Errorf("%d bytes for %d names", len(data), len(names))
	}
	values := map[string]value{}
	for i, n := range names {
		v := int64(binary.LittleEndian.Uint64(data[16*i:]))
		if negative := data[16*i+8] != 0; v < 0 && !negative {
			return nil, fmt.Errorf("%s: %#x has more than 63 bits", n, uint64(v))
		}
		values[n] = value{true, v}
	}
	return values, nil
}
