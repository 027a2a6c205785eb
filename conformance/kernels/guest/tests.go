package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/kernels/internal/console"
)

// loaderTests is the test program of package loader: flags, actions, threads,
// limits, refusals and the listener, each in a process of its own.
const loaderTests = "/loader.test"

// loaderPatience is how long all of it may take: three minutes are usual where two guests
// share two busy processors.
const loaderPatience = 6 * time.Minute

// elsewhere are tests that build programs with Go's tools. What they look at, the
// verdicts through each ABI check more of.
const elsewhere = "TestFilterTellsTheABIsOfOneKernelApart"

// stress are tests that flood the machine with signals and processes. On one
// emulated processor they take minutes and find nothing that the others do not.
const stress = "TestSignalsOfTheSupervisor|TestMobOfTargets"

// values are tests whose targets are told a value.
const values = "TestAnswersReachTheTarget|TestCancellationLosesNothing|TestDeadTargetsMakeRoomForOthers|" +
	"TestDumpWaitsNoLongerThanItsContext|TestFilesReachTheTarget|TestHandlerThatDoesNotAnswerFailsTheCall|" +
	"TestInterruptedCallEndsItsHandler|TestLimitOfHandlers|TestListenerOfAllThreads|TestListenerOfOneThread|" +
	"TestReceiveGoesOnAfterAnErrorOfThePoller|" +
	"TestServeEndsWithItsContext|TestServeUntilNoTargetIsLeft|TestServeWithoutDescriptors|" +
	"TestSignalTakesATargetOutOfItsCall|TestSizesOfOtherKernels|" +
	"TestSupervisorOfItsOwnThreadsNeedsOneProcessor|TestSyncWakeUp|TestWaitKillableDelaysSignals"

// checkLoader runs the loader's own tests.
func checkLoader(s *suite) error {
	if !strings.HasPrefix("loader/", s.orders.Only) {
		return nil
	}
	skip := elsewhere + "|" + stress
	if s.orders.LostValues {
		skip += "|" + values
		s.report(console.Skip, "loader/("+values+")", "this kernel loses the value of a listener's answer")
	}
	cmd := exec.Command(loaderTests, "-test.v", "-test.short", "-test.skip=^("+skip+")$", "-test.timeout="+loaderPatience.String())
	cmd.Dir = "/tmp"
	// Tests supervise calls of their own process, which need a second processor as
	// Go counts them; and MIPS kernels fail a notified call that a signal interrupts
	// with an errno of 512, where the signal may be Go's own.
	cmd.Env = append(os.Environ(), "HOME=/tmp", "TMPDIR=/tmp", "GOMAXPROCS=4")
	if isMIPS(arch.Native()) {
		cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1")
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var panicked head
	cmd.Stderr = io.MultiWriter(os.Stderr, &panicked)
	if err := cmd.Start(); err != nil {
		return err
	}
	// What the tests say goes into the harness's log of the console, too.
	tests := 0
	err = readTests(io.TeeReader(out, os.Stdout), func(r testResult) error {
		tests++
		if r.outcome == "SKIP" {
			s.report(console.Skip, "loader/"+r.name, strings.TrimSpace(strings.Join(r.output, "\n")))
			return nil
		}
		return s.do("loader/"+r.name, r.verdict)
	})
	if err != nil {
		return errors.Join(err, cmd.Wait())
	}
	err = cmd.Wait()
	return s.do("loader/all", func() error {
		if tests < 20 {
			err = errors.Join(err, fmt.Errorf("only %d tests", tests))
		}
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, panicked)
		}
		return err
	})
}

// A head keeps the first 4 KiB that are written to it: of a test program that ran out
// of time, which test it was and where that waits.
type head []byte

func (h *head) Write(b []byte) (int, error) {
	*h = append(*h, b[:min(len(b), 4096-len(*h))]...)
	return len(b), nil
}

// A testResult is what a Go test program says of one test.
type testResult struct {
	name, outcome string
	output        []string
}

// verdict returns nil for a test that has passed.
func (r testResult) verdict() error {
	if r.outcome == "PASS" {
		return nil
	}
	return fmt.Errorf("%s: %s", r.outcome, strings.Join(r.output, "\n"))
}

// readTests reads the output of a Go test program and hands on each result.
func readTests(r io.Reader, each func(testResult) error) error {
	var output []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "--- ")
		if outcome, name, cut := strings.Cut(rest, ": "); ok && cut {
			name, _, _ = strings.Cut(name, " (")
			if err := each(testResult{name, outcome, output}); err != nil {
				return err
			}
			output = nil
			continue
		}
		if !strings.HasPrefix(line, "=== ") {
			output = append(output, line)
		}
	}
	return lines.Err()
}
