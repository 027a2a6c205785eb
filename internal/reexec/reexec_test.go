package reexec_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/reexec"
)

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func() error{
		"echo":   echo,
		"fail":   func() error { return errors.New("no luck") },
		"killed": killed,
	})
}

func echo() error {
	fmt.Println(strings.Join(os.Args[1:], " "))
	return nil
}

// killed kills itself.
func killed() error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	if err := self.Kill(); err != nil {
		return err
	}
	select {}
}

func TestChildGetsItsArgumentsAndKeepsItsOutput(t *testing.T) {
	if r := reexec.OK(t, "echo", "a", "b"); r.Stdout != "a b\n" {
		t.Errorf("stdout %q", r.Stdout)
	}
}

func TestErrorOfAChildIsExitStatus1(t *testing.T) {
	if r := reexec.Run(t, "fail"); r.Code != 1 || r.Signal != 0 || r.Stderr != "no luck\n" {
		t.Errorf("%+v", r)
	}
}

func TestUnknownChildFails(t *testing.T) {
	if r := reexec.Run(t, "nobody"); r.Code != 1 || !strings.Contains(r.Stderr, `"nobody"`) {
		t.Errorf("%+v", r)
	}
}

func TestSignalIsReported(t *testing.T) {
	if r := reexec.Run(t, "killed"); r.Code != -1 || r.Signal != 9 {
		t.Errorf("%+v", r)
	}
}
