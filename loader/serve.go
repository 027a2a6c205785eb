package loader

import (
	"container/list"
	"context"
	"errors"
	"io"
	"sync"
	"syscall"
	"time"
)

// ServeOptions choose how a listener is served. The zero value is useful.
type ServeOptions struct {
	// Limit is how many handlers run at a time, 0 means 256. Further calls wait in
	// the kernel.
	Limit int
	// Panicked, if not nil, is called with a handler's panic after its call has failed,
	// on the handler's goroutine, so that runtime/debug.Stack shows where. Without
	// it the panic goes on and ends the program.
	Panicked func(n *Notification, value any)
}

// Serve receives calls and runs handle for each, on a goroutine of its own, until
// no target is left, and then returns nil. A handler answers its call by one of
// the methods of [Notification]; a handler that does not, or panics, makes it fail
// with EPERM. (ENOSYS would be taken for an old kernel and make programs try an
// older call, which may be allowed.)
//
// When ctx ends, or receiving fails, Serve receives no more and returns that error
// once all handlers have returned. Every call that was received has been answered
// when Serve returns, unless it is gone or the listener was closed. The listener
// stays open, so that others may serve it; close it to end the calls that still
// wait.
//
// A handler that waits for something should look at its context, because it counts
// towards the limit until it returns. The context ends
//   - when the call is gone: its target died, or a signal took it out of the call,
//   - when no target is left, or the listener is closed,
//   - when ctx ends,
//   - when the handler returns.
//
// An answer does not end it: the handler may have more to do. The kernel does not
// report that a call is gone (kernel/seccomp.c: seccomp_do_user_notification), so
// Serve asks while handlers run: 10 ms after a call came in, then at pauses that
// double up to a second. Asking takes about a hundredth of a processor at most, so
// thousands of handlers learn of it later. It takes no descriptors.
//
// A supervisor of many listeners calls Serve for each.
func (l *Listener) Serve(ctx context.Context, handle func(context.Context, *Notification), o ServeOptions) error {
	if handle == nil {
		return errors.New("loader: no handler (pass a function that answers notifications)")
	}
	limit := o.Limit
	if limit <= 0 {
		limit = 256
	}
	var running sync.WaitGroup
	defer running.Wait()
	handling, cancel := context.WithCancel(ctx)
	defer cancel() // before waiting
	calls := served{listener: l, cancel: cancel}
	free := make(chan struct{}, limit)
	for {
		// What is received must be answered, so there must be a handler first.
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		n, err := l.Receive(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		running.Go(func() {
			defer func() { <-free }()
			ctx, end := calls.begin(handling, n)
			defer end()
			n.serve(ctx, handle, o.Panicked)
		})
	}
}

// serve handles one call.
func (n *Notification) serve(ctx context.Context, handle func(context.Context, *Notification), panicked func(*Notification, any)) {
	defer func() {
		// Fails if the call has been answered or is gone, as it should.
		_ = n.Fail(syscall.EPERM)
		if panicked == nil {
			return
		}
		if value := recover(); value != nil {
			panicked(n, value)
		}
	}()
	handle(ctx, n)
}

// served are the calls whose handlers run.
type served struct {
	listener *Listener
	cancel   func() // ends all handlers' contexts

	mu    sync.Mutex
	calls list.List     // of servedCall, in the order of the next look
	pause time.Duration // before the next look, 0 while there is none to come
	timer *time.Timer   // of the next look, nil before the first call
}

type servedCall struct {
	*Notification
	cancel func() // ends its handler's context
}

// The pause between two looks at the calls.
const (
	shortestPause = 10 * time.Millisecond
	longestPause  = time.Second
)

// begin returns the context of a call's handler, and what to do when the handler
// has returned.
func (s *served) begin(ctx context.Context, n *Notification) (handling context.Context, end func()) {
	handling, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.calls.PushBack(servedCall{n, cancel})
	if s.pause != shortestPause {
		s.lookAfter(shortestPause)
	}
	return handling, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls.Remove(e)
	}
}

func (s *served) lookAfter(pause time.Duration) {
	s.pause = pause
	if s.timer == nil {
		s.timer = time.AfterFunc(pause, s.look)
	} else {
		s.timer.Reset(pause)
	}
}

// look ends the contexts of handlers whose calls are gone. The kernel searches all
// its calls for each that it is asked about, so many calls take several looks.
func (s *served) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls.Len() == 0 {
		s.pause = 0
		return
	}
	if s.listener.ended() {
		s.cancel()
	}
	start := time.Now()
	for range s.calls.Len() {
		e := s.calls.Front()
		s.calls.MoveToBack(e)
		if call := e.Value.(servedCall); call.gone() {
			call.cancel()
		}
		if time.Since(start) > s.pause/100 {
			break
		}
	}
	s.lookAfter(min(2*s.pause, longestPause))
}
