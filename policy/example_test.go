package policy_test

import (
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A policy written by hand, what it means in numbers, and what it does with a call.
func ExampleResolve() {
	enosys := uint(38)
	p := &policy.Policy{
		Default: cbpf.Allow,
		Rules: []policy.Rule{
			{Names: []string{"ptrace", "kexec_lod"}, Action: cbpf.ErrnoClass},
			{Names: []string{"clone3"}, Action: cbpf.ErrnoClass, Errno: &enosys},
			{Names: []string{"socket"}, Action: cbpf.KillProcess, Args: []policy.Arg{{Index: 0, Op: policy.Equal, Value: 40}}}, // AF_VSOCK
		},
	}
	resolved, warnings, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, w := range warnings {
		fmt.Println(w)
	}
	fmt.Print(resolved)
	vsock := &cbpf.Data{Arch: arch.X86_64.Audit(), NR: 41, Args: [6]uint64{40, 1}}
	fmt.Println("\nsocket(40, 1) gets", resolved.Eval(vsock))
	// Output:
	// /syscalls/0/names/1: "kexec_lod": Linux has no such call on any ABI (did you mean kexec_load?) (unknown-name)
	// default ALLOW
	// bad-arch KILL_THREAD
	//
	// 0xc000003e x86_64
	//   0x40000000-0xfffffffe: bad-arch
	//   41 socket: KILL_PROCESS if a0 == 0x28 (/syscalls/2)
	//   101 ptrace: ERRNO(1) (/syscalls/0)
	//   435 clone3: ERRNO(38) (/syscalls/1)
	//
	// socket(40, 1) gets KILL_PROCESS
}

// In strict mode the same mistakes are errors, each with its place and its kind.
func ExampleErrors() {
	p := &policy.Policy{Rules: []policy.Rule{
		{Names: []string{"raed"}, Action: cbpf.Allow},
		{Names: []string{"write"}, Action: cbpf.Allow, Args: []policy.Arg{{Index: 6, Op: policy.Equal}}},
	}}
	_, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64}, Mode: policy.Strict})
	var errs policy.Errors
	if errors.As(err, &errs) {
		for _, e := range errs {
			fmt.Printf("%s at %s: %s\n", e.Kind, e.Pointer, e.Reason)
		}
	}
	// Output:
	// unknown-name at /syscalls/0/names/0: "raed": Linux has no such call on any ABI (did you mean read?)
	// invalid at /syscalls/1/args/0/index: 6: a syscall has only 6 arguments (use 0 to 5)
}
