// Package runtimes knows, as data, what OCI runtimes call under a container's filter before
// the container's program runs.
package runtimes

import (
	"slices"
	"strings"
)

// A Runtime is an OCI runtime.
type Runtime struct {
	Name     string
	Releases string // that were tried
	names    string
}

// Names returns the system calls that the runtime makes between installing a filter and
// executing the container's program, with no_new_privs or without, sorted. clone is for
// threads only. Not every release makes each, and not every ABI has each.
func (r *Runtime) Names() []string { return slices.Sorted(strings.FieldsSeq(r.names)) }

// runc is a program in Go, and any of its threads may be under the filter. The first part
// is what it was seen to call. What its threads call depends on how they are scheduled, so
// the second part is all that Go's runtime calls (Go 1.26: runtime/sys_linux_*.s,
// runtime/netpoll_epoll.go) and a C library that starts a thread for it.
const runc = `
	capget capset chdir close close_range execve faccessat faccessat2 fcntl fstat fstatfs getcwd getdents64 getppid
	newfstatat openat openat2 prctl read readlinkat setgid setgroups setuid statx write

	arch_prctl brk clock_gettime clock_gettime64 clone epoll_create1 epoll_ctl epoll_pwait eventfd2 exit exit_group
	fcntl64 futex futex_time64 getpid getrandom gettid gettimeofday madvise mincore mmap mmap2 mprotect munmap
	nanosleep pipe2 prlimit64 restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity
	sched_yield set_robust_list sigaltstack sigreturn tgkill timer_create timer_delete timer_settime uname`

// crun is a program in C, which has one thread then. It was seen to make these calls, and
// ends with exit_group if one fails.
const crun = `
	capset close close_range execve prctl rt_sigaction rt_sigprocmask setresgid setresuid write
	exit_group restart_syscall rt_sigreturn sigreturn`

// Consumers returns the words that For knows.
func Consumers() []string {
	return []string{"docker", "podman", "containerd", "kubernetes", "cri-o", "runc", "crun"}
}

// Whole returns the word that a short form of it stands for: kubernetes for k8s and cri-o for
// crio. Other words stand for themselves.
func Whole(consumer string) string {
	switch consumer {
	case "k8s":
		return "kubernetes"
	case "crio":
		return "cri-o"
	}
	return consumer
}

// For returns the runtimes with which a consumer of profiles starts containers: of an engine
// all those that it does so with by default in some release or distribution. ok is
// false if no consumer has that name, whole or short.
func For(consumer string) (list []Runtime, ok bool) {
	consumer = Whole(consumer)
	if !slices.Contains(Consumers(), consumer) {
		return nil, false
	}
	if consumer != "crun" {
		list = append(list, Runtime{"runc", "1.1.5, 1.1.15, 1.3.6", runc})
	}
	if consumer == "crun" || consumer == "podman" || consumer == "cri-o" {
		list = append(list, Runtime{"crun", "1.8.1, 1.21, 1.28", crun})
	}
	return list, true
}
