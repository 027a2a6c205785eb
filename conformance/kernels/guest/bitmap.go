package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/conformance/kernels/internal/cases"
	"github.com/seccompile/seccompile/loader"
)

// checkBitmap looks at the kernel's bitmap of constant allows: number by number
// where it can be read (CONFIG_SECCOMP_CACHE_DEBUG), else by the time that a call
// takes.
func checkBitmap(s *suite) error {
	const file = "/proc/thread-self/seccomp_cache"
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return s.do("bitmap/time", s.bitmapTime)
	}
	s.note("bitmap", "a bitmap (read): number by number what package cbpf says")
	all, err := cases.All(arch.Native())
	if err != nil {
		return err
	}
	for i := range all {
		c := &all[i]
		out, _, err := compiler.Compile(c.Resolved, compiler.Options{})
		if err != nil {
			return err
		}
		err = s.do("bitmap/"+c.Name, func() error {
			return onThread(func() error {
				if err := loader.Install(out, loader.Options{ThisThread: true}); err != nil {
					return err
				}
				// Another thread reads: the policy need not allow openat here.
				return s.compareBitmap("/proc/"+strconv.Itoa(unix.Gettid())+"/seccomp_cache", out)
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// compareBitmap compares a thread's bitmap with what the emulation in package cbpf
// finds.
func (s *suite) compareBitmap(file string, p *cbpf.Program) error {
	text := make(chan []string)
	problem := make(chan error, 1)
	go func() {
		f, err := os.Open(file)
		problem <- err
		var lines []string
		if err == nil {
			for in := bufio.NewScanner(f); in.Scan(); {
				lines = append(lines, in.Text())
			}
			f.Close()
		}
		text <- lines
	}()
	if err := <-problem; err != nil {
		return err
	}
	// A line is: name of the ABI, number, ALLOW or FILTER. The native ABI comes
	// first.
	var names []string
	lines := <-text
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) != 3 {
			return fmt.Errorf("line %q", line)
		}
		if !slices.Contains(names, f[0]) {
			names = append(names, f[0])
		}
		nr, err := strconv.ParseUint(f[1], 10, 32)
		if err != nil {
			return err
		}
		audit := s.bitmapABIs()[slices.Index(names, f[0])].Audit()
		if want, _ := p.ConstAllow(audit, uint32(nr)); want != (f[2] == "ALLOW") {
			return fmt.Errorf("%s: the emulation says %v", line, want)
		}
	}
	if len(lines) < 300 {
		return fmt.Errorf("only %d lines", len(lines))
	}
	return nil
}

// bitmapABIs are the ABIs that the kernel keeps a bitmap for (asm/seccomp.h:
// SECCOMP_ARCH_NATIVE, SECCOMP_ARCH_COMPAT).
func (s *suite) bitmapABIs() []arch.ABI {
	return slices.DeleteFunc(slices.Clone(s.callers), func(abi arch.ABI) bool { return abi == arch.X32 })
}

// bitmapTime reports how much longer a call takes under the longest filter that
// allows it than under the shortest: the kernel that has a bitmap runs neither.
func (s *suite) bitmapTime() error {
	short, err := padded(1)
	if err != nil {
		return err
	}
	long, err := padded(cbpf.MaxInstructions)
	if err != nil {
		return err
	}
	times := map[*cbpf.Program]time.Duration{}
	for _, p := range []*cbpf.Program{short, long} {
		err := onThread(func() error {
			if err := loader.Install(p, loader.Options{ThisThread: true}); err != nil {
				return err
			}
			times[p] = fastest()
			return nil
		})
		if err != nil {
			return err
		}
	}
	ratio := float64(times[long]) / float64(times[short])
	verdict := "no bitmap"
	if ratio < 3 {
		verdict = "a bitmap"
	}
	s.note("bitmap", "%s: %v under %d instructions, %v under 1, %.1f times as long", verdict, times[long], long.Len(), times[short], ratio)
	return nil
}

// padded returns a filter of n instructions that allows every call, all of which
// are executed and known to the kernel's emulation.
func padded(n int) (*cbpf.Program, error) {
	text := ".order little\n"
	if arch.Native().ByteOrder() == binary.BigEndian {
		text = ".order big\n"
	}
	text += strings.Repeat("ld nr\n", n-1) + "ret ALLOW\n"
	return cbpf.Assemble([]byte(text), nil)
}

// fastest returns the shortest of the times that a call takes.
func fastest() time.Duration {
	const rounds, calls = 50, 20
	best := time.Hour
	for range rounds {
		start := time.Now()
		for range calls {
			_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
		}
		best = min(best, time.Since(start)/calls)
	}
	return best
}
