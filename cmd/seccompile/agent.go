package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/agent"
	"github.com/seccompile/seccompile/internal/failure"
)

// The agentFlags make record or trace a seccomp agent.
type agentFlags struct {
	socket  string
	profile bool
}

func (f *agentFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.socket, "agent", "", "take containers from runtimes that connect to `SOCKET`, their profile's listenerPath")
	cmd.Flags().BoolVar(&f.profile, "agent-profile", false, "print the profile for containers whose agent listens at the --agent SOCKET, and exit")
}

// check refuses arguments that do not go together. The socket becomes the path that a
// profile needs: the same in every directory.
func (f *agentFlags) check(verb string, args []string) error {
	if f.socket == "" {
		return failure.Usagef("%s: --agent-profile needs --agent SOCKET, where the profile's agent will listen", verb)
	}
	if len(args) > 0 {
		return failure.Usagef("%s: expected no command with --agent, got %s", verb, failure.Shown(args[0])).
			Hintf("container runtimes start the programs")
	}
	path, err := filepath.Abs(f.socket)
	if err != nil {
		return err
	}
	f.socket = path
	return nil
}

// wanted reports whether any of the flags is set.
func (f *agentFlags) wanted() bool { return f.socket != "" || f.profile }

// serve runs an agent until a signal ends it; a second one ends it at once.
func (a *app) serve(verb, socket string, begin func(name string, pid int) (agent.Session, error)) error {
	s, err := agent.Listen(socket)
	if err != nil {
		return &failure.Error{Status: exitFailed, Err: fmt.Errorf("%s: %s", verb, failure.Unprefixed(err.Error()))}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	a.stderr = &shared{to: a.stderr}
	a.note("%s: waiting for containers at %s", verb, failure.Shown(socket))
	(&agent.Agent{
		Begin: begin,
		Warn:  func(err error) { a.warnf("%s: %s", verb, failure.Unprefixed(err.Error())) },
	}).Serve(ctx, s)
	return nil
}

// A shared is a writer that several goroutines have in common: each of their writes stays
// whole.
type shared struct {
	mu sync.Mutex
	to io.Writer
}

// Write implements io.Writer.
func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Write(p)
}

// A named puts a container's name in front of each line. It is given whole lines.
type named struct {
	name string
	to   io.Writer
}

// Write implements io.Writer.
func (n *named) Write(p []byte) (int, error) {
	var out []byte
	for line := range bytes.Lines(p) {
		out = append(append(append(out, n.name...), " | "...), line...)
	}
	if _, err := n.to.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// within returns an app for one container: its messages name the container, and its
// output stays in memory.
func (a *app) within(name string) (b *app, output *bytes.Buffer) {
	output = new(bytes.Buffer)
	b = newApp(nil, output, &named{name, a.stderr})
	b.quiet, b.verbose = a.quiet, a.verbose
	return b, output
}
