package oci_test

import (
	"context"
	"encoding/json"
	"log"
	"net"
	"os"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/oci"
)

// A runtime may compile when a container is created, and keep the filter.
func ExampleCompile() {
	config, err := os.ReadFile("config.json")
	if err != nil {
		log.Fatal(err)
	}
	var spec specs.Spec
	if err := json.Unmarshal(config, &spec); err != nil {
		log.Fatal(err)
	}
	if oci.Disabled(spec.Linux.Seccomp) {
		return
	}
	filter, err := oci.Compile(spec.Linux.Seccomp, oci.Options{Debug: func(line string) { log.Print(line) }})
	if err != nil {
		log.Fatal(err)
	}
	state, err := json.Marshal(filter)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("seccomp.json", state, 0o600); err != nil {
		log.Fatal(err)
	}
}

// When the container starts, another process installs what was kept.
func ExampleFilter_Install() {
	state, err := os.ReadFile("seccomp.json")
	if err != nil {
		log.Fatal(err)
	}
	var filter oci.Filter
	if err := json.Unmarshal(state, &filter); err != nil {
		log.Fatal(err)
	}
	listener, err := filter.Install(nil)
	if err != nil {
		log.Fatal(err)
	}
	if listener >= 0 { // the parent is told, fetches it and calls SendState
		log.Print("listener ", listener)
	}
}

// An agent takes listeners from runtimes and answers for their containers.
func ExampleReceiveState() {
	socket, err := net.Listen("unix", "/run/seccomp-agent.socket")
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := socket.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			state, listener, err := oci.ReceiveState(ctx, conn.(*net.UnixConn))
			if err != nil {
				log.Print(err)
				return
			}
			defer listener.Close()
			err = listener.Serve(context.Background(), func(_ context.Context, n *loader.Notification) {
				log.Print(state.State.ID, ": call ", n.Data.NR)
				_ = n.Continue()
			}, loader.ServeOptions{})
			log.Print(state.State.ID, ": ", err)
		}()
	}
}
