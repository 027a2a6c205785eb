package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/kernels/internal/cases"
	"github.com/seccompile/seccompile/conformance/kernels/internal/console"
	"github.com/seccompile/seccompile/syscalltables"
)

// A suite does checks and reports them.
type suite struct {
	orders         console.Orders
	callers        []arch.ABI
	fault          cases.Fault
	release        syscalltables.Version // of the kernel
	passed, failed int
}

// patience is how long a check may take: far longer than the slowest machine
// needs.
const patience = 4 * time.Minute

// errHangs ends the checks: what hangs cannot be stopped.
var errHangs = errors.New(console.Hangs)

// check does all checks.
func check() error {
	orders, err := readOrders()
	if err != nil {
		return err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	release := unix.ByteSliceToString(name.Release[:])
	s := &suite{orders: orders, fault: cases.Fault(orders.Fault), release: parseRelease(release)}
	s.report(console.Start, release, "")
	for _, c := range orders.Callers {
		abi, err := arch.Parse(c)
		if err != nil {
			return err
		}
		s.callers = append(s.callers, abi)
	}
	for _, group := range []func(*suite) error{
		checkProbe, checkDocker, checkSeen, checkActions, checkLimits, checkVerdicts, checkBitmap, checkLoader,
	} {
		if err := group(s); err != nil {
			return err
		}
	}
	s.report(console.End, strconv.Itoa(s.passed), strconv.Itoa(s.failed))
	return nil
}

// parseRelease reads the first two numbers of a kernel's release.
func parseRelease(s string) syscalltables.Version {
	major, rest, _ := strings.Cut(s, ".")
	digits := strings.IndexFunc(rest+".", func(r rune) bool { return r < '0' || r > '9' })
	v, _ := syscalltables.ParseVersion(major + "." + rest[:digits])
	return v
}

func (s *suite) report(kind console.Kind, name, text string) {
	fmt.Fprintln(os.Stdout, console.Line{Kind: kind, Name: name, Text: text})
}

// note reports something that the harness shows and does not judge.
func (s *suite) note(what, format string, args ...any) {
	s.report(console.Note, what, fmt.Sprintf(format, args...))
}

// do does a check, if it is wanted. The error is errHangs or nil.
func (s *suite) do(name string, f func() error) error {
	if !strings.HasPrefix(name, s.orders.Only) {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- f() }()
	var err error
	select {
	case err = <-done:
	case <-time.After(patience):
		err = fmt.Errorf("%w%v", errHangs, patience)
	}
	if err == nil {
		s.passed++
		s.report(console.Pass, name, "")
		return nil
	}
	s.failed++
	s.report(console.Fail, name, err.Error())
	if errors.Is(err, errHangs) {
		return err
	}
	return nil
}

// since reports whether the kernel is at least X.Y.
func (s *suite) since(major, minor uint8) bool {
	return s.release.Compare(syscalltables.Version{Major: major, Minor: minor}) >= 0
}
