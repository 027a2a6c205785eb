// Command live makes system calls under filters and reports their error numbers.
//
// Standard input is a sequence of gob values: a program in the form of struct
// sock_filter ([]byte), then the calls to make under it ([]cbpf.Data), then the
// next program. Each pair is answered on standard output by the error numbers of
// the calls in order ([]uint32), 0 for success. Every program runs on a thread
// of its own, which ends with it.
package main

import (
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
	"golang.org/x/sys/unix"
)

func main() {
	if err := serve(gob.NewDecoder(os.Stdin), gob.NewEncoder(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "live:", err)
		os.Exit(1)
	}
}

func serve(in *gob.Decoder, out *gob.Encoder) error {
	for {
		var raw []byte
		if err := in.Decode(&raw); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		p, err := cbpf.Decode(raw, binary.LittleEndian)
		if err != nil {
			return err
		}
		var calls []cbpf.Data
		if err := in.Decode(&calls); err != nil {
			return err
		}
		errnos := make([]uint32, len(calls))
		if err := confined(p, calls, errnos); err != nil {
			return err
		}
		if err := out.Encode(errnos); err != nil {
			return err
		}
	}
}

// confined makes the calls on a new thread under p.
func confined(p *cbpf.Program, calls []cbpf.Data, errnos []uint32) error {
	done := make(chan error)
	go func() { // stays locked to its thread, so that the thread ends with it
		err := loader.Install(p, loader.Options{ThisThread: true})
		if err == nil {
			for i := range calls {
				c := &calls[i]
				a := &c.Args
				_, _, errno := unix.RawSyscall6(uintptr(c.NR), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]),
					uintptr(a[3]), uintptr(a[4]), uintptr(a[5]))
				errnos[i] = uint32(errno)
			}
		}
		done <- err
	}()
	return <-done
}
