package oci

import (
	"context"
	"net"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/loader"
)

// SendState hands a listener over to the agent at path, the profile's
// listenerPath: an AF_UNIX stream socket, in the abstract namespace if path begins
// with "@". The agent gets one JSON document, the state with Fds as it must be, and
// the listener's file along with the first byte. Then the connection is closed.
//
// The listener stays the caller's, who should close it: as long as it is open
// anywhere, calls wait for an answer even if the agent is gone.
//
// The container must not start if there is an error. An agent that accepts
// connections and does not read them makes SendState wait until ctx ends.
func SendState(ctx context.Context, path string, state *specs.ContainerProcessState, listener *os.File) error {
	return sendState(ctx, path, state, listener)
}

// ReceiveState is the agent's end of [SendState]: it reads one container process
// state from a connection, and the listener's file. The state tells what the
// runtime says of the container; its Pid is that of the confined process in the
// runtime's pid namespace.
//
// Whoever can connect can send anything, at any pace: let ctx end soon, and take
// connections only from where they should come. ReceiveState closes the connection
// and all files that came but the listener, also if there is an error, and
// refuses documents of more than a mebibyte and files that are not named in Fds.
// It does not wait for the other end to close the connection, which a runtime may
// be able to do only when calls of the container have been answered.
func ReceiveState(ctx context.Context, conn *net.UnixConn) (*specs.ContainerProcessState, *loader.Listener, error) {
	return receiveState(ctx, conn)
}
