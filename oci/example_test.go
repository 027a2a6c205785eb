package oci_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
)

// A runtime compiles when a container is created, and keeps the filter as JSON.
func ExampleCompile() {
	profile := &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno,
		Architectures: []specs.Arch{specs.ArchAARCH64},
		Flags:         []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagLog},
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"read", "write", "exit_group"}, Action: specs.ActAllow}},
	}
	if oci.Disabled(profile) {
		return
	}
	filter, err := oci.Compile(profile, oci.Options{
		Policy: policy.Options{ABIs: []arch.ABI{arch.AArch64}}, // not those of the machine that runs this
		Debug:  func(line string) { fmt.Println("debug:", line) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	saved, err := json.Marshal(filter)
	if err != nil {
		fmt.Println(err)
		return
	}
	var again oci.Filter
	if err := json.Unmarshal(saved, &again); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.Program.Len() == filter.Program.Len(), again.Flags)
	// Output: true [SECCOMP_FILTER_FLAG_LOG]
}

// All problems of a profile show at once.
func ExampleCompile_problems() {
	_, err := oci.Compile(&specs.LinuxSeccomp{
		DefaultAction: "SCMP_ACT_EROR",
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"read"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Index: 1}}}},
	}, oci.Options{})
	var problems policy.Errors
	if errors.As(err, &problems) {
		for _, p := range problems {
			fmt.Println(p.Pointer)
		}
	}
	// Output:
	// /defaultAction
	// /syscalls/0/args/0/op
}

// A node takes the filter that was compiled for its kernel, or compiles the profile.
func ExampleFromArtifact() {
	profile := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
	filter, err := oci.FromArtifact(&artifact.Artifact{})
	if errors.Is(err, artifact.ErrNoFilter) {
		filter, err = oci.Compile(profile, oci.Options{})
	}
	fmt.Println(filter != nil, err)
	// Output: true <nil>
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
	listener, err := filter.Install(oci.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if listener >= 0 { // the parent learns the number, fetches the file and calls SendState
		log.Print("listener ", listener)
	}
}

// An agent receives listeners from runtimes and answers for their containers.
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
