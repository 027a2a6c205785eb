package seccomp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seccompile/seccompile/internal/reexec"
)

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func() error{"init": initProcess})
}

// Every scenario is run twice: in a process that does what runc's do, with this
// package linked, and in a container of a runc that has this package in it.
func TestScenarios(t *testing.T) {
	p := build(t)
	t.Run("runc", func(t *testing.T) { checkRunc(t, p) })
	t.Run("without the tag", func(t *testing.T) { checkWithoutTag(t, p) })
	t.Run("guide", func(t *testing.T) { checkGuide(t, p) })
	t.Run("its own tests", func(t *testing.T) { checkOwnTests(t, p) })
	shared := startAgent(t, p)
	for _, way := range []struct {
		name  string
		start starter
	}{{"process", startProcess}, {"container", startContainer}} {
		t.Run(way.name, func(t *testing.T) {
			for _, s := range scenarios(p) {
				t.Run(s.rule, func(t *testing.T) { s.run(t, p, shared, way.start) })
			}
		})
	}
	for _, nnp := range []bool{false, true} {
		checkExec(t, p, shared, nnp)
		checkHook(t, p, shared, nnp)
	}
}

// A starter returns the command that runs a scenario and, unless it is nil, what
// has to go on beside it and may fail. An error is one from before there was a
// process.
type starter func(t *testing.T, p programs, s scenario) (cmd *exec.Cmd, beside func() error, err error)

func (s scenario) run(t *testing.T, p programs, shared *agent, start starter) {
	var a *agent
	switch s.agent {
	case runs:
		a = shared
	case dies:
		a = startAgent(t, p)
	case absent:
		a = &agent{socket: filepath.Join(t.TempDir(), "socket")}
	}
	s.profile = strings.ReplaceAll(s.profile, "AGENT", a.socket)
	out := output{ready: make(chan struct{})}
	err := s.execute(t, p, a, start, &out)
	if failed := err != nil; failed != s.fails {
		t.Errorf("error %v", err)
	}
	for _, want := range s.want {
		if !strings.Contains(out.text.String(), want) {
			t.Errorf("no %q in the output", want)
		}
	}
	if s.never != "" && strings.Contains(out.text.String(), s.never) {
		t.Errorf("%q in the output", s.never)
	}
	if t.Failed() {
		t.Logf("%s", out.text.Bytes())
	}
}

// execute runs the scenario to its end.
func (s scenario) execute(t *testing.T, p programs, a *agent, start starter, out *output) error {
	cmd, beside, err := start(t, p, s)
	if err != nil {
		_, _ = io.WriteString(out, err.Error())
		return err
	}
	cmd.Stdout, cmd.Stderr = out, out
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var attending sync.WaitGroup
	if s.agent == dies {
		attending.Go(func() {
			<-out.ready
			a.kill()
			_, _ = io.WriteString(stdin, "\n")
		})
	}
	var failed error
	if beside != nil {
		attending.Go(func() {
			if failed = beside(); failed != nil {
				_, _ = io.WriteString(out, failed.Error())
				_ = cmd.Process.Kill()
			}
		})
	}
	err = cmd.Wait()
	out.close()
	attending.Wait()
	return errors.Join(err, failed)
}

// An output is what a container writes.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	said  bool
	ready chan struct{} // closed once it has written "ready", or nothing more will come
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.text.Write(b)
	if !o.said && bytes.Contains(o.text.Bytes(), []byte("ready\n")) {
		o.said = true
		close(o.ready)
	}
	return n, err
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.said {
		o.said = true
		close(o.ready)
	}
}

// An agent is the example of one.
type agent struct {
	socket string
	cmd    *exec.Cmd
}

func startAgent(t *testing.T, p programs) *agent {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent") // whose name is short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	a := &agent{socket: filepath.Join(dir, "socket")}
	a.cmd = exec.Command(p.agent, "-socket", a.socket)
	stderr, err := a.cmd.StderrPipe()
	if err := errors.Join(err, a.cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.kill)
	log := bufio.NewReader(stderr)
	if line, err := log.ReadString('\n'); err != nil || !strings.Contains(line, "waiting for containers") {
		t.Fatalf("the agent says %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	return a
}

// kill kills the agent and waits for its end.
func (a *agent) kill() {
	_ = a.cmd.Process.Kill()
	_, _ = a.cmd.Process.Wait()
}

// patience is how long a container may take.
const patience = time.Minute

func background(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
