package loader

import (
	"context"
	"io"
	"sync"
	"syscall"
)

// ServeOptions choose how a listener is served. The zero value is useful.
type ServeOptions struct {
	// Limit is how many handlers run at a time, 0 means 256. Further calls wait in
	// the kernel.
	Limit int
	// Panicked, if not nil, is told of a handler's panic after its call has failed,
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
// once all handlers have returned. The handlers' context ends then, as it does
// when no target is left; they should look at it if they wait for something. Every
// call that was received has been answered when Serve returns. The listener stays
// open, so that others may serve it; close it to end the calls that still wait.
//
// A supervisor of many listeners calls Serve for each.
func (l *Listener) Serve(ctx context.Context, handle func(context.Context, *Notification), o ServeOptions) error {
	if handle == nil {
		return problem("nothing to serve with (pass a handler)")
	}
	limit := o.Limit
	if limit <= 0 {
		limit = 256
	}
	var running sync.WaitGroup
	defer running.Wait()
	handling, cancel := context.WithCancel(ctx)
	defer cancel() // before waiting
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
			n.serve(handling, handle, o.Panicked)
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
