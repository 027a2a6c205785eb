// Command server is a web server on the Unix socket that its argument names. GET /quit
// ends it.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
)

func main() {
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func serve(socket string) error {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	mux, quit, served := http.NewServeMux(), make(chan struct{}), make(chan error, 1)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		runtime.GC()
		if err := exec.Command("true").Run(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(make([]byte, 1<<14))
	})
	mux.HandleFunc("/quit", func(http.ResponseWriter, *http.Request) { close(quit) })
	server := &http.Server{Handler: mux}
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-quit:
		return server.Shutdown(context.Background())
	}
}
