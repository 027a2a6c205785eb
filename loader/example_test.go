package loader_test

import (
	"context"
	"encoding/binary"
	"errors"
	"log"
	"os"
	"path/filepath"
	"syscall"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// A program can confine itself by a filter that was compiled when it was built,
// and links neither tables nor profiles then.
func Example() {
	// What "seccompile compile -f raw -o filter.bpf" wrote. A program that carries
	// it in itself has it from a go:embed directive.
	filter, err := os.ReadFile("filter.bpf")
	if err != nil {
		log.Fatal(err)
	}
	p, err := cbpf.Decode(filter, binary.NativeEndian)
	if err != nil {
		log.Fatal(err)
	}
	if err := loader.Install(p, loader.Options{}); err != nil {
		log.Fatal(err)
	}
}

// What a runtime tells its user depends on whose mistake it is.
func ExampleInstall() {
	var p *cbpf.Program // of compiler.Compile, cbpf.Decode or an artifact
	err := loader.Install(p, loader.Options{})
	var unsupported *loader.UnsupportedError
	switch {
	case errors.Is(err, loader.ErrByteOrder):
		log.Fatal("this filter is for another machine: ", err)
	case errors.Is(err, loader.ErrNotify):
		log.Fatal("this filter needs a supervisor: ", err)
	case errors.As(err, &unsupported):
		log.Fatal("this kernel is too old: ", err)
	case err != nil:
		log.Fatal(err)
	}
}

// A supervisor decides about calls in the kernel's place: here it lets mkdir(2)
// make no directories outside of /tmp, and makes them itself.
func ExampleListener_Serve() {
	var listener *loader.Listener // of loader.InstallListener or loader.OpenListener
	mkdir := func(_ context.Context, n *loader.Notification) {
		path, err := n.ReadString(n.Data.Args[0], 4096)
		switch {
		case err != nil:
			_ = n.Fail(syscall.EFAULT)
		case !filepath.IsAbs(path) || filepath.Dir(filepath.Clean(path)) != "/tmp":
			_ = n.Fail(syscall.EPERM)
		case os.Mkdir(path, 0o700) != nil:
			_ = n.Fail(syscall.EACCES)
		default:
			_ = n.Return(0) // not Continue: the target could have changed the path by now
		}
	}
	err := listener.Serve(context.Background(), mkdir, loader.ServeOptions{})
	if err != nil {
		log.Fatal(err)
	}
	// No target is left.
}
