package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
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

// get gets a path of the server whose address comes to be in a file.
func get(file, path string) (int64, error) {
	var addr []byte
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		var err error
		if addr, err = os.ReadFile(file); err == nil {
			break
		}
		if time.Since(start) > time.Minute {
			return 0, err
		}
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
