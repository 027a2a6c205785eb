// Agent is an example of a seccomp agent, the program at the end of a profile's
// listenerPath: it decides the calls for which the profile says SCMP_ACT_NOTIFY,
// for any number of containers at once.
//
//	agent -socket /run/seccomp-agent.socket
//
// mkdir and mkdirat make a directory whose name has the profile's listenerMetadata
// appended, "new-metadata" in place of "new"; chmod and its kin fail with
// ENOMEDIUM, as if the disk had been taken out; the kernel executes everything
// else. SIGTERM ends it; waiting calls then fail with ENOSYS.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/syscalltables"
)

func main() {
	socket := flag.String("socket", "/run/seccomp-agent.socket", "where container runtimes connect")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := listen(ctx, *socket); err != nil {
		log.Fatal(err)
	}
}

// listen serves the containers of all runtimes that connect, until ctx ends.
func listen(ctx context.Context, path string) error {
	socket, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	var containers sync.WaitGroup
	defer containers.Wait()
	defer context.AfterFunc(ctx, func() { _ = socket.Close() })() // which removes the file, too
	log.Printf("waiting for containers at %s", path)
	for {
		conn, err := socket.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil: // out of descriptors: a container that ends gives one back
			log.Print(err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		containers.Go(func() {
			if err := serve(ctx, conn.(*net.UnixConn)); err != nil {
				log.Print(err)
			}
		})
	}
}

// serve takes a listener from a runtime and decides its container's calls, until
// there is no process left that could make one.
func serve(ctx context.Context, conn *net.UnixConn) error {
	soon, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	state, listener, err := oci.ReceiveState(soon, conn)
	if err != nil {
		return err
	}
	defer listener.Close()
	log.Printf("%s: supervised, process %d", state.State.ID, state.Pid)
	decide := func(_ context.Context, n *loader.Notification) {
		abi, _ := arch.ByAudit(n.Data.Arch, n.Data.NR)
		call, _ := syscalltables.ByNumber(abi, n.Data.NR)
		err := answer(n, abi, call.Name(), state.Metadata)
		if err != nil && !errors.Is(err, loader.ErrGone) {
			log.Printf("%s: %s by thread %d: %v", state.State.ID, call, n.PID, err)
		}
	}
	switch err := listener.Serve(ctx, decide, loader.ServeOptions{}); {
	case err == nil:
		log.Printf("%s: gone", state.State.ID)
	case ctx.Err() != nil:
		log.Printf("%s: left alone", state.State.ID)
	default:
		return fmt.Errorf("%s: %w", state.State.ID, err)
	}
	return nil
}

// answer decides one call. A call that is left without an answer fails with EPERM.
func answer(n *loader.Notification, abi arch.ABI, call, metadata string) error {
	args := n.Data.Args
	switch call {
	case "mkdir":
		return mkdir(n, atCWD, args[0], args[1], metadata)
	case "mkdirat":
		return mkdir(n, int32(args[0]), args[1], args[2], metadata)
	case "chmod", "fchmod", "fchmodat", "fchmodat2":
		errno, _ := abi.Errno("ENOMEDIUM")
		return n.Fail(syscall.Errno(errno))
	}
	return n.Continue()
}

const atCWD = -100 // linux/fcntl.h: AT_FDCWD

// mkdir makes a directory for the target. The name is read once and used
// here: the kernel never sees the target's memory, which may have changed by then.
func mkdir(n *loader.Notification, dir int32, path, mode uint64, suffix string) error {
	name, err := n.ReadString(path, 4096)
	if err != nil {
		return err
	}
	base := fmt.Sprintf("/proc/%d/fd/%d", n.PID, dir)
	switch {
	case strings.HasPrefix(name, "/"):
		base, name = fmt.Sprintf("/proc/%d/root", n.PID), strings.TrimLeft(name, "/")
	case dir == atCWD:
		base = fmt.Sprintf("/proc/%d/cwd", n.PID)
	}
	// Nothing in the name leads out of this directory.
	root, err := os.OpenRoot(base)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := n.Valid(); err != nil { // what was opened may be another process's
		return err
	}
	err = root.Mkdir(name+"-"+suffix, os.FileMode(mode&0o777))
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return n.Fail(errno)
	}
	if err != nil { // a link that leads out
		return errors.Join(err, n.Fail(syscall.EPERM))
	}
	return n.Return(0)
}
