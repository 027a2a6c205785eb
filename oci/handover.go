package oci

import (
	"context"
	"net"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/loader"
)

// SendState passes a listener to the agent at path, the profile's listenerPath: an
// AF_UNIX stream socket, in the abstract namespace if path begins with "@". It sends one
// JSON document, which is state with the right Fds, and the listener's file with its
// first byte. Then it closes the connection.
//
// SendState does not close the listener; the caller should. While it is open anywhere,
// calls wait for an answer even if the agent is gone.
//
// If SendState returns an error, the container must not start. The error wraps that of
// the socket, or ctx's: an agent that accepts connections and does not read makes
// SendState wait until ctx ends.
func SendState(ctx context.Context, path string, state *specs.ContainerProcessState, listener *os.File) error {
	return sendState(ctx, path, state, listener)
}

// ReceiveState is the agent's end of [SendState]: it reads one container process state
// from a connection, and the listener's file. The state is what the runtime claims about
// the container; its Pid is the confined process's in the runtime's pid namespace.
//
// Whoever can connect can send anything, at any pace. Let ctx end soon, and accept
// connections only from runtimes. ReceiveState refuses documents of more than a mebibyte
// and files that Fds does not name. Even if it returns an error, it closes the connection
// and all received files except the listener. It does not wait for the other end to
// close the connection: a runtime may be able to do so only after calls of the container
// have been answered. The error wraps that of the socket, or ctx's, or io.EOF if the other end
// closed the connection without sending anything.
func ReceiveState(ctx context.Context, conn *net.UnixConn) (*specs.ContainerProcessState, *loader.Listener, error) {
	return receiveState(ctx, conn)
}
