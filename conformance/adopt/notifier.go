package adopt

import (
	"context"
	"net"
	"syscall"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/syscalltables"
)

// Notify takes a container's listener from the runtime that has connected, reports each call
// that its profile notifies of and makes it fail with ENOSYS, until the container is gone.
func Notify(ctx context.Context, conn *net.UnixConn, report func(container, call string)) error {
	state, listener, err := oci.ReceiveState(ctx, conn)
	if err != nil {
		return err
	}
	defer listener.Close()
	return listener.Serve(ctx, func(_ context.Context, n *loader.Notification) {
		abi, _ := arch.ByAudit(n.Data.Arch, n.Data.NR)
		call, _ := syscalltables.ByNumber(abi, n.Data.NR)
		report(state.State.ID, call.Name())
		enosys, _ := abi.Errno("ENOSYS")
		_ = n.Fail(syscall.Errno(enosys)) // an error says that the call is gone
	}, loader.ServeOptions{})
}
