package harness

// #include <stddef.h>
// #include <stdint.h>
import "C"

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"testing"
	"time"
	"unsafe"
)

// An entry is testing's corpusEntry.
type entry = struct {
	Parent     string
	Path       string
	Data       []byte
	Values     []any
	Generation int
	IsSeed     bool
}

// The target that this program fuzzes, and the types of its arguments.
var (
	target func(entry) error
	types  []reflect.Type
)

// Serve makes a fuzz target that of this program. Package testing runs it twice: as the
// process that coordinates fuzzing, which learns the types and the seeds, and as the one
// that is given inputs. What lies between them in go test is libFuzzer here.
func Serve(name string, f func(*testing.F)) {
	testing.Init()
	for flagName, value := range map[string]string{"test.run": "^$", "test.fuzz": "^" + name + "$", "test.fuzzcachedir": os.TempDir()} {
		if err := flag.Set(flagName, value); err != nil {
			fail(err)
		}
	}
	if err := flag.CommandLine.Parse(nil); err != nil { // the arguments are libFuzzer's
		fail(err)
	}
	targets := []testing.InternalFuzzTarget{{Name: name, Fn: f}}
	d := &deps{inputs: make(chan func(entry) error)}
	if code := testing.MainStart(d, nil, nil, targets, nil).Run(); code != 0 || types == nil {
		fail(fmt.Errorf("%s ended with status %d before it fuzzed", name, code))
	}
	if dir := os.Getenv(SeedsVariable); dir != "" {
		for i, s := range d.seeds {
			if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), encode(s.Values), 0o644); err != nil {
				fail(err)
			}
		}
		os.Exit(0)
	}
	if err := flag.Set("test.fuzzworker", "true"); err != nil {
		fail(err)
	}
	go func() {
		fail(fmt.Errorf("%s ended with status %d", name, testing.MainStart(d, nil, nil, targets, nil).Run()))
	}()
	target = <-d.inputs
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "libfuzzer: %v\n", err)
	os.Exit(1)
}

// LLVMFuzzerTestOneInput is what libFuzzer calls.
//
//export LLVMFuzzerTestOneInput
func LLVMFuzzerTestOneInput(data *C.uint8_t, size C.size_t) C.int {
	var input []byte
	if size > 0 {
		input = append(input, unsafe.Slice((*byte)(unsafe.Pointer(data)), size)...) // libFuzzer's memory is not ours to keep
	}
	if err := target(entry{Values: decode(input, types)}); err != nil {
		panic(err) // which libFuzzer takes for the crash that it is
	}
	return 0
}

// deps is testing's testDeps.
type deps struct {
	seeds  []entry
	inputs chan func(entry) error
}

func (d *deps) CoordinateFuzzing(_ time.Duration, _ int64, _ time.Duration, _ int64, _ int, seeds []entry, t []reflect.Type, _, _ string) error {
	d.seeds, types = seeds, t
	return nil
}

func (d *deps) RunFuzzWorker(f func(entry) error) error {
	d.inputs <- f
	select {} // libFuzzer ends the program
}

func (*deps) MatchString(pattern, s string) (bool, error)        { return regexp.MatchString(pattern, s) }
func (*deps) ImportPath() string                                 { return "" }
func (*deps) ModulePath() string                                 { return "" }
func (*deps) SetPanicOnExit0(bool)                               {}
func (*deps) StartCPUProfile(io.Writer) error                    { return nil }
func (*deps) StopCPUProfile()                                    {}
func (*deps) StartTestLog(io.Writer)                             {}
func (*deps) StopTestLog() error                                 { return nil }
func (*deps) WriteProfileTo(string, io.Writer, int) error        { return nil }
func (*deps) ReadCorpus(string, []reflect.Type) ([]entry, error) { return nil, nil }
func (*deps) CheckCorpus([]any, []reflect.Type) error            { return nil }
func (*deps) ResetCoverage()                                     {}
func (*deps) SnapshotCoverage()                                  {}
func (*deps) InitRuntimeCoverage() (mode string, tearDown func(string, string) (string, error), snapshot func() float64) {
	return "", nil, nil
}
