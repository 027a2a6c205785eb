// Package need finds the programs that tests run. What is missing is a failure, so
// that nothing is left out unnoticed, unless the environment says
// CONFORMANCE_SKIP=NAME,... .
package need

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Program returns the path of a program that a package of Debian's has. The test
// is skipped if CONFORMANCE_SKIP names the program.
func Program(t testing.TB, program, debianPackage string) string {
	t.Helper()
	Wanted(t, program)
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%v: install Debian's package %s, or set CONFORMANCE_SKIP=%s", err, debianPackage, program)
	}
	return path
}

// Wanted skips the test if CONFORMANCE_SKIP has a name.
func Wanted(t testing.TB, name string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("CONFORMANCE_SKIP"), ","), name) {
		t.Skipf("CONFORMANCE_SKIP names %s", name)
	}
}
