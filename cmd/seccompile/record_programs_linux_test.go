package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// serve is an HTTP server that writes its address to a file. GET /quit ends it.
func serve() {
	if err := serveAt(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func serveAt(file string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".part", []byte(l.Addr().String()), 0o600); err != nil {
		return err
	}
	if err := os.Rename(file+".part", file); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%x\n", make([]byte, 1<<14))
		runtime.GC()
	})
	server := &http.Server{Handler: mux}
	quit := make(chan struct{})
	mux.HandleFunc("/quit", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "bye")
		close(quit)
	})
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-quit:
		return server.Shutdown(context.Background())
	}
}

// fetch prints the size of what a path of the server gives.
func fetch() {
	n, err := get(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	}
	fmt.Println(n, "bytes")
}

// await waits until its argument is a file. A server that failed never makes it one.
func await() {
	if err := awaitFile(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "await:", err)
		os.Exit(1)
	}
}

func awaitFile(file string) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return err
	}
	if _, err := unix.InotifyAddWatch(fd, filepath.Dir(file), unix.IN_MOVED_TO); err != nil {
		return err
	}
	const patience = 5 * 60 * 1000 // ms
	for {
		if _, err := os.Stat(file); err == nil {
			return nil
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, patience)
		if err == nil && n == 0 {
			return fmt.Errorf("%s is still not there after 5 minutes", file)
		}
		if err == nil {
			_, err = unix.Read(fd, make([]byte, unix.SizeofInotifyEvent+unix.NAME_MAX+1))
		}
		if err != nil && err != unix.EINTR {
			return err
		}
	}
}

// get gets a path of the server whose address is in a file.
func get(file, path string) (int64, error) {
	addr, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	resp, err := http.Get("http://" + string(addr) + path)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return io.Copy(io.Discard, resp.Body)
}

// load makes many requests at a time and then ends the server.
func load() {
	each, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	const clients = 8
	var running sync.WaitGroup
	var failed [clients]error
	for i := range clients {
		running.Go(func() {
			for range each {
				if _, err := get(os.Args[1], "/"); err != nil {
					failed[i] = err
					return
				}
			}
		})
	}
	running.Wait()
	_, err = get(os.Args[1], "/quit")
	if err := errors.Join(append(failed[:], err)...); err != nil {
		fmt.Fprintln(os.Stderr, "load:", strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
	fmt.Println(clients*each, "replies")
}
