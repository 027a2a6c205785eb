#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"

static long now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

// Runs in the child. Results go through shared memory: write(2) may be denied.
static int child(const void *filter, int len, const struct call *calls, int count, int n, long *out)
{
	if (len > 0) {
		struct sock_fprog prog = {.len = len, .filter = (struct sock_filter *)filter};

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
			return errno;
		long start = now(CLOCK_MONOTONIC);
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &prog) != 0)
			return errno;
		out[0] = now(CLOCK_MONOTONIC) - start;
	}
	for (int i = 0; i < count; i++) {
		const struct call c = calls[i];
		long start = now(CLOCK_THREAD_CPUTIME_ID);

		for (int j = 0; j < n; j++)
			syscall(c.nr, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4], c.args[5]);
		out[1 + i] = now(CLOCK_THREAD_CPUTIME_ID) - start;
	}
	return 0;
}

int measure(const void *filter, int len, const struct call *calls, int count, int n, long *out)
{
	size_t size = (1 + count) * sizeof(long);
	long *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigset_t all, before;
	int status;

	if (shared == MAP_FAILED)
		return errno;
	// The child has one thread and must not run the parent's signal handlers.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0)
		_exit(child(filter, len, calls, count, n, shared));
	int error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0) {
		munmap(shared, size);
		return error;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	memcpy(out, shared, size);
	munmap(shared, size);
	if (WIFSIGNALED(status))
		return -WTERMSIG(status);
	return WEXITSTATUS(status);
}
