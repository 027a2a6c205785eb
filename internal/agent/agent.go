// Package agent is the program at the end of a profile's listenerPath: container
// runtimes connect to its socket and hand over the listeners of containers, and it has
// the calls of each container handled.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/oci"
)

// An Agent says what to do with containers. Its functions may be called by several
// goroutines at once.
type Agent struct {
	// Begin is called when a runtime hands over the first listener of a container. The
	// name tells the container from all others that run, and is safe as the name of a
	// file; the pid is what the runtime says about the first process. If Begin fails, the
	// container's calls fail with ENOSYS.
	Begin func(name string, pid int) (Session, error)
	// Warn is called with what goes wrong: a connection that hands over no listener, or
	// the first call of a container that could not be handled.
	Warn func(error)
}

// A Session handles the calls of one container, those of programs that are executed in it
// later included. Its methods are called one at a time.
type Session interface {
	// Handle answers a call. After an error other than [loader.ErrGone], a call that was
	// not answered fails with EPERM.
	Handle(*loader.Notification) error
	// End is called once, when the last process of the container has ended or the agent
	// stops.
	End()
}

// Limits on what those who can connect can make an agent keep.
const (
	maxListeners = 1024             // at a time
	maxArrivals  = 64               // connections that have not handed over a listener yet
	maxIdentity  = 8 << 10          // bytes of a container's ID and bundle
	patience     = 10 * time.Second // with a connection
)

// Serve takes listeners at the socket until ctx ends. Then it closes the socket and all
// listeners, which makes the containers' calls fail with ENOSYS, ends all sessions and
// returns.
func (a *Agent) Serve(ctx context.Context, s *Socket) {
	v := &server{Agent: a, arrivals: make(chan struct{}, maxArrivals), containers: make(map[identity]*container), names: make(map[string]bool)}
	defer v.running.Wait()
	defer s.Close()
	defer context.AfterFunc(ctx, s.Close)()
	for failing := false; ; {
		select {
		case v.arrivals <- struct{}{}:
		case <-ctx.Done():
			return
		}
		conn, err := s.listener.AcceptUnix()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return
		case err != nil: // out of descriptors: a container that ends gives one back
			<-v.arrivals
			if !failing {
				a.Warn(fmt.Errorf("agent: cannot take a connection yet: %w", err))
			}
			failing = true
			time.Sleep(100 * time.Millisecond)
			continue
		}
		failing = false
		v.running.Go(func() {
			if err := v.serve(ctx, conn); err != nil {
				a.Warn(err)
			}
		})
	}
}

// A server is an agent at work.
type server struct {
	*Agent
	running  sync.WaitGroup
	arrivals chan struct{}

	mu         sync.Mutex
	listeners  int
	containers map[identity]*container
	names      map[string]bool // of containers
}

// An identity is what the listeners of one container have in common, and no other
// container has at the same time.
type identity struct {
	id, bundle string
	pid        int // if there is no id
}

// A container is one whose listeners an agent has.
type container struct {
	identity  identity
	name      string
	listeners int // under the server's lock
	// begin makes the session, once.
	begin func() (Session, error)

	mu     sync.Mutex // serialises the session's methods
	failed bool       // a call could not be handled
}

// serve takes a listener from a connection and has its calls handled until no process is
// left that could make one.
func (v *server) serve(ctx context.Context, conn *net.UnixConn) error {
	soon, cancel := context.WithTimeout(ctx, patience)
	state, listener, err := oci.ReceiveState(soon, conn)
	cancel()
	<-v.arrivals
	switch {
	case err != nil && ctx.Err() != nil, errors.Is(err, io.EOF): // only asks whether somebody listens, as removeStale does
		return nil
	case err != nil:
		return fmt.Errorf("agent: refused a connection: %w", err)
	}
	defer listener.Close()
	c, err := v.enter(state)
	if err != nil {
		return fmt.Errorf("agent: refused a listener: %w", err)
	}
	defer v.leave(c)
	session, err := c.begin()
	if err != nil {
		return fmt.Errorf("agent: %s: %w", c.name, err)
	}
	// Receiving with a context would cost more than a call does.
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	for {
		n, err := listener.Receive(context.Background())
		switch {
		case err == io.EOF, ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("agent: %s: %w", c.name, err)
		}
		if err := c.handle(session, n); err != nil {
			v.Warn(fmt.Errorf("agent: %s: a call failed with EPERM: %w", c.name, err))
		}
	}
}

// handle has a call handled. It returns the container's first failure.
func (c *container) handle(s Session, n *loader.Notification) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := s.Handle(n)
	if err == nil || err == loader.ErrGone || n.Fail(syscall.EPERM) != nil || c.failed {
		return nil
	}
	c.failed = true
	return err
}

// enter returns the container of a state: that of an earlier listener, or else a new one.
func (v *server) enter(s *specs.ContainerProcessState) (*container, error) {
	id := identity{id: s.State.ID, bundle: s.State.Bundle}
	if id.id == "" {
		id.pid = s.Pid
	}
	if len(id.id)+len(id.bundle) > maxIdentity {
		return nil, errors.New("the container's ID and bundle are too long")
	}
	name := nameOf(s)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.listeners == maxListeners {
		return nil, fmt.Errorf("%s: there are %d already", name, maxListeners)
	}
	v.listeners++
	c := v.find(id)
	if c == nil {
		c = &container{identity: id, name: unused(name, v.names)}
		pid := s.Pid
		c.begin = sync.OnceValues(func() (Session, error) { return v.Begin(c.name, pid) })
		v.containers[id], v.names[c.name] = c, true
	}
	c.listeners++
	return c, nil
}

// find returns the container with an identity, nil if there is none. crun does not know the
// bundle of a container that it executes another process in, and says "."; the ID has to do
// then, unless several containers have it.
func (v *server) find(id identity) *container {
	if c := v.containers[id]; c != nil || id.id == "" || strings.HasPrefix(id.bundle, "/") {
		return c
	}
	var found *container
	for _, c := range v.containers {
		if c.identity.id == id.id {
			if found != nil {
				return nil
			}
			found = c
		}
	}
	return found
}

// leave ends a container's session if its last listener is gone.
func (v *server) leave(c *container) {
	v.mu.Lock()
	v.listeners--
	c.listeners--
	last := c.listeners == 0
	if last {
		delete(v.containers, c.identity)
	}
	v.mu.Unlock()
	if !last {
		return
	}
	if session, err := c.begin(); err == nil {
		session.End()
	}
	v.mu.Lock()
	delete(v.names, c.name)
	v.mu.Unlock()
}
