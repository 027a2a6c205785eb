// Bench does each piece of this project's work on one profile, between two requests to
// callgrind that make it count: to zero and dump. Without callgrind they do nothing, and
// the program counts allocations instead.
//
// It prints a line per piece, in the order of the dumps: the name, how often the work was
// done between the requests and, with -allocs, the allocations of each time.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

func main() {
	runtime.LockOSThread() // callgrind counts threads apart, and the driver reads the first
	var b bench
	flag.StringVar(&b.file, "file", "", "profile of a container")
	flag.StringVar(&b.abis, "abis", "x86_64", "ABIs, comma-separated")
	flag.StringVar(&b.caps, "caps", "", "capabilities of the container, comma-separated")
	flag.BoolVar(&b.bounded, "enosys", true, "answer ENOSYS to numbers newer than the profile, as runc does")
	flag.IntVar(&b.times, "n", 10, "how often to do the work after doing it once; 0 counts the only time")
	flag.BoolVar(&b.allocs, "allocs", false, "count allocations")
	flag.Parse()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A bench has the flags, and what each piece of work leaves to the next.
type bench struct {
	file, abis, caps string
	bounded, allocs  bool
	times            int

	text     []byte
	target   policy.Target
	options  policy.Options
	reading  language.Reading
	resolved *policy.Resolved
	program  *cbpf.Program
	bytes    []byte
	report   strings.Builder
}

func (b *bench) run() error {
	if err := b.prepare(); err != nil {
		return err
	}
	if err := b.count("first", 1, b.first); err != nil {
		return err
	}
	for _, w := range []struct {
		name string
		do   func() error
	}{
		{"read", b.read}, {"resolve", b.resolve}, {"compile", b.compile}, {"proof", b.proof}, {"install", b.install},
	} {
		if w.name == "install" && !b.installable() {
			continue
		}
		times := b.times
		if w.name == "install" { // so short that a turn of the scheduler would show
			times = max(times, 10)
		}
		if times > 0 {
			if err := w.do(); err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
		}
		settle()
		if err := b.count(w.name, max(times, 1), w.do); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	_, err := os.Stdout.WriteString(b.report.String())
	return err
}

func (b *bench) prepare() (err error) {
	if b.text, err = os.ReadFile(b.file); err != nil {
		return err
	}
	for _, name := range strings.Split(b.abis, ",") {
		a, err := arch.Parse(name)
		if err != nil {
			return err
		}
		b.options.ABIs = append(b.options.ABIs, a)
	}
	b.options.ENOSYS.Off = !b.bounded
	b.target.ABI = b.options.ABIs[0]
	if b.caps != "" {
		b.target.Caps = strings.Split(b.caps, ",")
	}
	return nil
}

// count does a piece of work some times between the requests.
func (b *bench) count(name string, times int, do func() error) error {
	var before, after runtime.MemStats
	if b.allocs {
		runtime.ReadMemStats(&before)
	}
	request(zeroStats)
	for range times {
		if err := do(); err != nil {
			return err
		}
	}
	request(dumpStats)
	fmt.Fprintf(&b.report, "%s %d", name, times)
	if b.allocs {
		runtime.ReadMemStats(&after)
		fmt.Fprintf(&b.report, " %d", (after.Mallocs-before.Mallocs)/uint64(times))
	}
	b.report.WriteByte('\n')
	return nil
}

// first is what a program does once: from a profile to the bytes of a proved filter.
func (b *bench) first() error {
	for _, do := range []func() error{b.read, b.resolve, b.compile} {
		if err := do(); err != nil {
			return err
		}
	}
	var err error
	b.bytes, err = b.program.AppendBinary(nil)
	return err
}

func (b *bench) read() (err error) {
	b.reading, err = oci.Language{}.Read(language.NewSource(b.text), b.target)
	return err
}

func (b *bench) resolve() (err error) {
	b.resolved, _, err = policy.Resolve(b.reading.Policy, b.options)
	return err
}

func (b *bench) compile() error {
	program, defects, err := compiler.Compile(b.resolved, compiler.Options{})
	if len(defects) > 0 {
		return fmt.Errorf("%v", defects)
	}
	b.program = program
	return err
}

func (b *bench) proof() error {
	result, err := proof.Walk(b.resolved, b.program)
	if err == nil && result.Verdict != proof.Same {
		err = fmt.Errorf("the program is not proved: %v", result)
	}
	return err
}

// installable reports whether Install can take the program on this machine.
func (b *bench) installable() bool {
	return b.options.ABIs[0].ByteOrder() == arch.Native().ByteOrder() && !b.program.Returns(cbpf.Notify)
}

// install does what Install does but for its system calls. This program is built with a
// function in the place of seccomp(2) that answers as Linux does (see kernel.go.txt).
// prctl(2), which sets no_new_privs, is left out: Go's scheduler has work on the way back
// from such a call, now and then.
func (b *bench) install() error {
	return loader.Install(b.program, loader.Options{KeepPrivs: true})
}
