// Bypass tries one way around a preset. It prints "through" if the way is open, else the
// error that closes it, by its name.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define GARBAGE 0x7ead00000000UL // in the upper half of an int, where the kernel does not look

static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; // mov $42,%eax; ret

static pid_t other; // a process to attack

static void end(int ok) {
	int error = errno;
	if (other > 0)
		kill(other, SIGKILL);
	errno = error;
	if (ok)
		puts("through");
	else
		puts(strerrorname_np(errno));
	exit(0);
}

static void need(int ok) {
	if (!ok)
		end(0);
}

// run executes what was written for the page at x.
static void run(void *x) {
	errno = ENOEXEC;
	end(((int (*)(void))x)() == 42);
}

// ring opens a socket through io_uring.
static void ring(int family) {
	struct io_uring_params p = {0};
	int fd = syscall(SYS_io_uring_setup, 2, &p);
	need(fd >= 0);
	char *sq = mmap(NULL, p.sq_off.array + 64, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	char *cq = mmap(NULL, p.cq_off.cqes + 64, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_CQ_RING);
	struct io_uring_sqe *sqe = mmap(NULL, 128, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
	*sqe = (struct io_uring_sqe){.opcode = IORING_OP_SOCKET, .fd = family, .off = SOCK_STREAM};
	((unsigned *)(sq + p.sq_off.array))[0] = 0;
	__atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	need(syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1);
	int result = ((struct io_uring_cqe *)(cq + p.cq_off.cqes))->res;
	errno = -result;
	end(result >= 0);
}

// datagram reaches the service at argument 2, an abstract name, from half a pair.
static void datagram(int type, const char *name) {
	int pair[2];
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	strncpy(to.sun_path + 1, name, sizeof to.sun_path - 2);
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
	need(socketpair(AF_UNIX, type, 0, pair) == 0);
	need(connect(pair[0], (void *)&to, size) == 0);
	end(send(pair[0], "x", 1, 0) == 1);
}

// fault has the kernel fill an executable page.
static void fault(int fd) {
	need(fd >= 0);
	struct uffdio_api api = {.api = UFFD_API};
	need(ioctl(fd, UFFDIO_API, &api) == 0);
	char *x = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register r = {.range = {(size_t)x, 4096}, .mode = UFFDIO_REGISTER_MODE_MISSING};
	need(ioctl(fd, UFFDIO_REGISTER, &r) == 0);
	static char page[4096] __attribute__((aligned(4096)));
	memcpy(page, code, sizeof code);
	struct uffdio_copy c = {.dst = (size_t)x, .src = (size_t)page, .len = 4096};
	need(ioctl(fd, UFFDIO_COPY, &c) == 0);
	run(x);
}

// twice maps a file to write it and again to execute it.
static void twice(int fd, off_t offset) {
	need(fd >= 0);
	char *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	char *x = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, offset);
	need(w != MAP_FAILED && x != MAP_FAILED);
	memcpy(w + 2048, code, sizeof code); // where perf's first page is empty
	run(x + 2048);
}

// poke writes to an executable page of a child, which executes it.
static void poke(void) {
	char *x = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int go[2], status;
	long word = 0;
	memcpy(&word, code, sizeof code);
	need(x != MAP_FAILED && pipe(go) == 0);
	other = fork();
	if (other == 0)
		_exit(read(go[0], &status, 1) == 1 ? ((int (*)(void))x)() : 1);
	need(ptrace(PTRACE_ATTACH, other, 0, 0) == 0 && waitpid(other, &status, 0) == other);
	need(ptrace(PTRACE_POKETEXT, other, x, word) == 0 && ptrace(PTRACE_DETACH, other, 0, 0) == 0);
	need(write(go[1], "x", 1) == 1 && waitpid(other, &status, 0) == other);
	other = 0;
	errno = ENOEXEC;
	end(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static void *writable(int prot) {
	void *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE | prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(w != MAP_FAILED);
	return memcpy(w, code, sizeof code);
}

static int child(void *unused) { return 0; }

// spaces makes a namespace with clone3.
static void spaces(unsigned long flags) {
	unsigned long args[11] = {flags, [4] = SIGCHLD};
	long pid = syscall(SYS_clone3, args, sizeof args);
	if (pid == 0)
		_exit(0);
	end(pid > 0);
}

static pid_t sleeper(void) {
	other = fork();
	while (other == 0)
		pause();
	return other;
}

static void sockets(const char *way) {
	if (!strcmp(way, "inet"))
		end(socket(AF_INET, SOCK_STREAM, 0) >= 0);
	if (!strcmp(way, "inet-garbage"))
		end(syscall(SYS_socket, GARBAGE | AF_INET, SOCK_STREAM, 0) >= 0);
	if (!strcmp(way, "netlink"))
		end(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
	if (!strcmp(way, "inet-ring"))
		ring(AF_INET);
	if (!strcmp(way, "x32"))
		end(syscall(0x40000000 | SYS_socket, AF_INET, SOCK_STREAM, 0) >= 0);
	if (!strcmp(way, "getfd"))
		end(syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, getpid(), 0), 0, 0) >= 0);
	if (!strcmp(way, "request-key"))
		end(syscall(SYS_request_key, "user", "seccompile", NULL, 0) >= 0);
	if (!strcmp(way, "unix"))
		end(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	if (!strcmp(way, "unix-garbage"))
		end(syscall(SYS_socket, GARBAGE | AF_UNIX, SOCK_STREAM, 0) >= 0);
	if (!strcmp(way, "unix-ring"))
		ring(AF_UNIX);
	if (!strcmp(way, "packet"))
		end(socket(AF_PACKET, SOCK_RAW, 0) >= 0);
	if (!strcmp(way, "sock-packet"))
		end(socket(AF_INET, SOCK_PACKET | SOCK_CLOEXEC, 0) >= 0);
	if (!strcmp(way, "alg"))
		end(socket(AF_ALG, SOCK_SEQPACKET, 0) >= 0);
	if (!strcmp(way, "audit"))
		end(socket(AF_NETLINK, SOCK_RAW, 9) >= 0);
	if (!strcmp(way, "packet-ring"))
		ring(AF_PACKET);
}

static void processes(const char *way) {
	char *stack = malloc(65536) + 65536;
	struct iovec mine = {(char *)code, 1}, its = {(void *)stack - 16, 1};
	if (!strcmp(way, "unshare"))
		end(unshare(CLONE_NEWUSER) == 0);
	if (!strcmp(way, "unshare-time"))
		end(unshare(0x80) == 0);
	if (!strcmp(way, "clone"))
		end(clone(child, stack, CLONE_NEWUSER | SIGCHLD, NULL) > 0);
	if (!strcmp(way, "clone3"))
		spaces(CLONE_NEWUSER);
	if (!strcmp(way, "clone3-fork"))
		spaces(0);
	if (!strcmp(way, "setns"))
		end(setns(open("/proc/self/ns/uts", O_RDONLY), 0) == 0);
	if (!strcmp(way, "ptrace"))
		end(ptrace(PTRACE_ATTACH, sleeper(), 0, 0) == 0);
	if (!strcmp(way, "seize"))
		end(ptrace(PTRACE_SEIZE, sleeper(), 0, 0) == 0);
	if (!strcmp(way, "writev"))
		end(process_vm_writev(sleeper(), &mine, 1, &its, 1, 0) == 1);
	if (!strcmp(way, "readv"))
		end(process_vm_readv(sleeper(), &its, 1, &its, 1, 0) == 1);
	if (!strcmp(way, "kcmp"))
		end(syscall(SYS_kcmp, getpid(), sleeper(), KCMP_FILE, 0, 0) >= 0);
	if (!strcmp(way, "add-key"))
		end(syscall(SYS_add_key, "user", "seccompile", "x", 1, -3) >= 0);
	if (!strcmp(way, "keyctl"))
		end(syscall(SYS_keyctl, 0, -3, 0) >= 0);
}

static void pages(const char *way) {
	if (!strcmp(way, "wx"))
		run(writable(PROT_EXEC));
	if (!strcmp(way, "mprotect")) {
		void *w = writable(0);
		need(mprotect(w, 4096, PROT_READ | PROT_EXEC) == 0);
		run(w);
	}
	if (!strcmp(way, "pkey")) {
		void *w = writable(0);
		need(syscall(SYS_pkey_mprotect, w, 4096, PROT_READ | PROT_EXEC, -1) == 0);
		run(w);
	}
	if (!strcmp(way, "shm")) {
		int id = shmget(IPC_PRIVATE, 4096, 0700);
		char *w = shmat(id, NULL, 0), *x = shmat(id, NULL, SHM_EXEC | SHM_RDONLY);
		int error = errno;
		shmctl(id, IPC_RMID, NULL);
		errno = error;
		need(x != (char *)-1);
		memcpy(w, code, sizeof code);
		run(x);
	}
	if (!strcmp(way, "personality")) {
		need(personality(READ_IMPLIES_EXEC) >= 0);
		run(writable(0));
	}
	if (!strcmp(way, "memfd")) {
		int fd = memfd_create("x", 8); // MFD_NOEXEC_SEAL does not keep it from being mapped
		need(fd >= 0 && ftruncate(fd, 4096) == 0);
		twice(fd, 0);
	}
	if (!strcmp(way, "ring-pages")) {
		struct io_uring_params p = {0};
		twice(syscall(SYS_io_uring_setup, 64, &p), IORING_OFF_SQES);
	}
	if (!strcmp(way, "perf-pages")) {
		struct perf_event_attr a = {.type = PERF_TYPE_SOFTWARE, .size = sizeof a, .exclude_kernel = 1, .exclude_hv = 1};
		twice(syscall(SYS_perf_event_open, &a, 0, -1, -1, 0), 0);
	}
	if (!strcmp(way, "map-pages")) {
		union bpf_attr a = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4096, .max_entries = 1, .map_flags = BPF_F_MMAPABLE};
		twice(syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof a), 0);
	}
	if (!strcmp(way, "poke"))
		poke();
	if (!strcmp(way, "fault"))
		fault(syscall(SYS_userfaultfd, O_CLOEXEC));
	if (!strcmp(way, "fault-device"))
		fault(syscall(SYS_ioctl, open("/dev/userfaultfd", O_RDWR), GARBAGE | USERFAULTFD_IOC_NEW, O_CLOEXEC));
}

int main(int argc, char **argv) {
	alarm(30);
	if (argc > 2 && !strcmp(argv[1], "datagram"))
		datagram(SOCK_DGRAM, argv[2]);
	if (argc > 2 && !strcmp(argv[1], "raw-pair"))
		datagram(SOCK_RAW, argv[2]);
	if (argc > 2 && !strcmp(argv[1], "stream"))
		datagram(SOCK_STREAM, argv[2]);
	if (argc > 1) {
		sockets(argv[1]);
		processes(argv[1]);
		pages(argv[1]);
	}
	fputs("bypass: unknown way\n", stderr);
	return 2;
}
