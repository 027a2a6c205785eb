package main

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// skips runs the command in testdata/suite and returns what it prints and its status.
func skips(t *testing.T, args ...string) (string, int) {
	t.Helper()
	bin := t.TempDir() + "/skips"
	if msg, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	cmd := exec.Command(bin, append([]string{"-count=1"}, args...)...)
	cmd.Dir = "testdata/suite"
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestOutput(t *testing.T) {
	tests := []struct {
		args   string
		status int
		want   []string // in this order
		not    []string
	}{
		{"./good ./none", 0, []string{
			"ok  \texample.com/suite/good\t", "\nskipped: 4\n",
			"  good_test.go:14: needs a tape drive\n    example.com/suite/good TestSkips/one\n",
			"  good_test.go:15: needs a tape drive\n    example.com/suite/good TestSkips/two\n",
			"  no reason given\n    example.com/suite/good TestSkips/silent\n",
			"  good_test.go:20: looked around good_test.go:21: is long\n    example.com/suite/good TestLong\n",
		}, []string{"noise", "a log", "PASS", "=== ", "---"}},
		{"-v ./good", 0, []string{
			"=== RUN   TestPasses\n", "noise\n", "a log\n", "--- PASS: TestPasses", "--- SKIP: TestLong", "PASS\nok  \t", "skipped: 4\n",
		}, nil},
		{"-run Passes ./good", 0, []string{"ok  \t", "\nskipped: 0\n"}, nil},
		{"./bad ./good", 1, []string{
			"--- FAIL: TestGroup (", "bad_test.go:8: one is not two\n", "--- FAIL: TestGroup/bad (", "FAIL\nFAIL\texample.com/suite/bad\t", "skipped: 5\n", "needs a moon\n",
		}, []string{"all is well", "two is two", "=== "}},
		{"./broken ./none", 1, []string{"# example.com/suite/broken", "broken_test.go:3:13: ", "FAIL\texample.com/suite/broken [build failed]\n", "skipped: 0\n"}, nil},
		{"./crash", 1, []string{"panic: deliberate", "goroutine ", "FAIL\texample.com/suite/crash\t", "skipped: 0\n"}, nil},
		{"./good -nonsense", 1, []string{"flag provided but not defined: -nonsense"}, nil},
		{"./nowhere", 1, []string{"nowhere", "FAIL"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			out, status := skips(t, strings.Fields(tt.args)...)
			if status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			rest := out
			for _, want := range tt.want {
				_, after, ok := strings.Cut(rest, want)
				if !ok {
					t.Fatalf("no %q where it belongs in\n%s", want, out)
				}
				rest = after
			}
			for _, not := range tt.not {
				if strings.Contains(out, not) {
					t.Errorf("%q in\n%s", not, out)
				}
			}
		})
	}
}

// Packages that run at the same time are printed one after the other.
func TestPackagesDoNotMix(t *testing.T) {
	var out bytes.Buffer
	r := newReporter(&out, true)
	err := r.read(strings.NewReader(`{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Test":"TestA","Output":"a1\n"}
{"Action":"output","Package":"b","Test":"TestB","Output":"b1\n"}
{"Action":"output","Package":"a","Test":"TestA","Output":"a2\n"}
{"Action":"pass","Package":"b","Test":"TestB"}
{"Action":"output","Package":"b","Output":"ok b\n"}
{"Action":"pass","Package":"b"}
not JSON
{"Action":"pass","Package":"a","Test":"TestA"}
{"Action":"output","Package":"a","Output":"ok a"}
{"Action":"pass","Package":"a"}`))
	if want := "b1\nok b\nnot JSON\na1\na2\nok a"; err != nil || out.String() != want {
		t.Errorf("%q, error %v, want %q", out.String(), err, want)
	}
}
