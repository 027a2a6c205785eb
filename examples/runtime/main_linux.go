// Runtime is an example of what a container runtime does about seccomp: it
// compiles the profile of a bundle when the container is created and puts the
// filter in force when it starts.
//
//	runtime create BUNDLE    # reads config.json, writes seccomp.json beside it
//	runtime start BUNDLE     # becomes process.args under the filter
//
// It does nothing else that a container needs: namespaces, a root, capabilities.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/oci"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: runtime create|start BUNDLE")
	}
	var err error
	switch bundle := os.Args[2]; os.Args[1] {
	case "create":
		err = create(bundle)
	case "start":
		err = start(bundle)
	default:
		err = fmt.Errorf("%s: no such command", os.Args[1])
	}
	if err != nil {
		log.Fatal(err)
	}
}

// create compiles the profile. All its problems show here, before there is a process.
func create(bundle string) error {
	spec, err := read[specs.Spec](bundle, "config.json")
	if err != nil {
		return err
	}
	if spec.Linux == nil || oci.Disabled(spec.Linux.Seccomp) {
		return errors.New("the container asks for no filter")
	}
	filter, err := oci.Compile(spec.Linux.Seccomp, oci.Options{Debug: func(line string) { log.Print(line) }})
	if err != nil {
		return err
	}
	text, err := json.Marshal(filter)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(bundle, "seccomp.json"), text, 0o600)
}

// start confines this thread and becomes the container's program.
func start(bundle string) error {
	spec, err := read[specs.Spec](bundle, "config.json")
	if err != nil {
		return err
	}
	filter, err := read[oci.Filter](bundle, "seccomp.json")
	if err != nil {
		return err
	}
	path, err := exec.LookPath(spec.Process.Args[0])
	if err != nil {
		return err
	}
	runtime.LockOSThread() // no_new_privs and the filter are this thread's
	if spec.Process.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		// A 1 is the kernel's answer, a 0 may be an earlier filter's.
		if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); set != 1 {
			return fmt.Errorf("no_new_privs is not set: %v", err)
		}
	}
	// A listener would now go to the agent: see oci.SendState and examples/agent.
	if filter.ListenerPath != "" {
		return errors.New("this example has no agents")
	}
	if _, err := filter.Install(oci.Options{Debug: func(line string) { log.Print(line) }}); err != nil {
		return err
	}
	return syscall.Exec(path, spec.Process.Args, spec.Process.Env)
}

// read reads a JSON file of a bundle.
func read[T any](bundle, name string) (*T, error) {
	text, err := os.ReadFile(filepath.Join(bundle, name))
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := json.Unmarshal(text, v); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}
