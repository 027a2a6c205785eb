package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// An input is a profile and what it is for.
type input struct {
	name    string
	profile []byte
	abis    []arch.ABI
	caps    []string
	exact   bool // without the answer ENOSYS that only runc gives
	times   int  // how often work is counted after a first time; 0 means that time
	alone   bool // not for libseccomp, to which it is too much
}

// inputs returns all inputs.
func inputs() ([]input, error) {
	var all []input
	x86 := []arch.ABI{arch.X86_64, arch.X86, arch.X32}
	for _, p := range []struct {
		name, preset, caps string
		abis               []arch.ABI
	}{
		{"docker-1", "docker", "docker", x86[:1]},
		{"docker-2", "docker", "docker", x86[:2]},
		{"docker-3", "docker", "docker", x86},
		{"podman-3", "podman", "podman", x86},
		{"containerd-3", "containerd", "docker", x86},
	} {
		text, err := preset.Profile(p.preset)
		if err != nil {
			return nil, err
		}
		all = append(all, input{name: p.name, profile: text, abis: p.abis, caps: preset.Caps(p.caps), times: 10})
	}
	plain, err := resolved(all[2])
	if err != nil {
		return nil, err
	}
	all = append(all, plain)
	for _, name := range []string{"allow-list-72", "ioctl-200", "wide-arguments"} {
		text, err := os.ReadFile(filepath.Join("../testdata/profiles", name+".json"))
		if err != nil {
			return nil, err
		}
		all = append(all, input{name: name, profile: text, abis: x86[:1], times: 10})
	}
	own, err := policies("counts/testdata/policies")
	if err != nil {
		return nil, err
	}
	all = append(all, own...)
	calls := []string{
		"accept4", "bpf", "clone", "close", "connect", "epoll_ctl", "fcntl", "futex", "getsockopt", "ioctl",
		"kill", "lseek", "madvise", "mmap", "mprotect", "openat", "prctl", "read", "sendto", "setsockopt",
		"socket", "tgkill", "unshare", "wait4", "write",
	}
	for _, g := range []struct {
		name  string
		spec  *specs.LinuxSeccomp
		times int
	}{
		{"rules-10", rules(10, calls...), 10},
		{"rules-100", rules(100, calls...), 10},
		{"rules-1000", rules(1000, calls...), 1},
		{"rules-10000", rules(10_000, calls...), 0},
		{"prctl-4000", rules(4000, "prctl"), 0},
		{"alternatives", alternatives(), 0},
		{"masks-16", masks(16), 10},
		{"masks-64", masks(64), 1},
	} {
		text, err := json.Marshal(g.spec)
		if err != nil {
			return nil, err
		}
		all = append(all, input{name: g.name, profile: text, abis: x86[:1], times: g.times, alone: g.times == 0})
	}
	return all, nil
}

// resolved returns an input as a container runtime gets it from its engine: with the
// conditions on capabilities and kernels decided.
func resolved(in input) (input, error) {
	p, _, err := oci.Read(in.profile, policy.Target{ABI: in.abis[0], Caps: in.caps})
	if err != nil {
		return in, err
	}
	text, err := oci.Print(p)
	in.name, in.profile = in.name+"-oci", []byte(text)
	return in, err
}

// policies returns the profiles of a directory, each for the ABIs that it names.
func policies(dir string) ([]input, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []input
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		p, _, err := oci.Read(text, policy.Target{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		all = append(all, input{name: name, profile: text, abis: p.ABIs, times: 10, exact: true})
	}
	return all, nil
}

// rules allows so many values of an argument, each by a rule, for some calls in turn. The
// values are in runs of forty, so that many fit into a program.
func rules(n int, calls ...string) *specs.LinuxSeccomp {
	s := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno}
	s.Syscalls = append(s.Syscalls, allow([]string{"exit", "exit_group"}))
	for i := range n {
		value := uint64(i / len(calls))
		s.Syscalls = append(s.Syscalls, allow(calls[i%len(calls):][:1],
			specs.LinuxSeccompArg{Index: 1, Value: value/40*1000 + value%40, Op: specs.OpEqualTo}))
	}
	return s
}

func allow(names []string, args ...specs.LinuxSeccompArg) specs.LinuxSyscall {
	return specs.LinuxSyscall{Names: names, Action: specs.ActAllow, Args: args}
}

// alternatives names three calls 330 times in one entry with 1,040 conditions on the same
// argument, which are alternatives: a million rules in 52 KB.
func alternatives() *specs.LinuxSeccomp {
	var names []string
	for range 330 {
		names = append(names, "read", "write", "ioctl")
	}
	var args []specs.LinuxSeccompArg
	for i := range uint64(1040) {
		args = append(args, specs.LinuxSeccompArg{Index: 0, Value: i, Op: specs.OpEqualTo})
	}
	return &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Syscalls: []specs.LinuxSyscall{allow(names, args...)}}
}

// masks allows ioctl by so many random masks of some eight bits: their tests overlap in all
// ways, so that what one finds out says little about another.
func masks(n int) *specs.LinuxSeccomp {
	s := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno}
	r := rand.New(rand.NewPCG(17, 8))
	for range n {
		var mask uint64
		for range 8 {
			mask |= 1 << r.IntN(64)
		}
		s.Syscalls = append(s.Syscalls, allow([]string{"ioctl"},
			specs.LinuxSeccompArg{Index: 0, Value: mask, ValueTwo: mask & r.Uint64(), Op: specs.OpMaskedEqual}))
	}
	return s
}

// rules returns the input as the rules that runc makes of it, for the harness.
func (in *input) rules() ([]byte, error) {
	p, _, err := oci.Read(in.profile, policy.Target{ABI: in.abis[0], Caps: in.caps})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "default %#x\n", word(p.Default, p.DefaultErrno))
	for _, a := range in.abis {
		fmt.Fprintf(&b, "arch %#x\n", abiToken(a))
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		for _, name := range r.Names {
			for _, args := range alternativesOf(r.Args) {
				fmt.Fprintf(&b, "rule %#x %s", word(r.Action, r.Errno), name)
				for _, a := range args { // operators have the numbers of seccomp.h: enum scmp_compare
					fmt.Fprintf(&b, " %d %d %d %d", a.Index, uint8(a.Op), a.Value, a.ValueTwo)
				}
				b.WriteByte('\n')
			}
		}
	}
	return b.Bytes(), nil
}

// alternativesOf returns the conditions of the rules that runc makes of one entry: one
// rule, or if an argument is tested twice one for each condition.
func alternativesOf(args []policy.Arg) [][]policy.Arg {
	var seen [6]bool
	for _, a := range args {
		if seen[a.Index] {
			var each [][]policy.Arg
			for i := range args {
				each = append(each, args[i:i+1])
			}
			return each
		}
		seen[a.Index] = true
	}
	return [][]policy.Arg{args}
}

// word returns an action with its data, which is EPERM if the profile gives none.
func word(a cbpf.Action, errno *uint) uint32 {
	if a != cbpf.ErrnoClass && a != cbpf.TraceClass {
		return uint32(a)
	}
	if errno == nil {
		return uint32(a) | 1
	}
	return uint32(a) | uint32(*errno)
}
