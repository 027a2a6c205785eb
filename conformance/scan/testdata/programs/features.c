// A program that uses several parts of a C library: threads, processes, files, signals,
// sockets, users, time. Its argument is a free port of 127.0.0.1.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUST(x) do { if (!(x)) { fprintf(stderr, "%d: %s: %s\n", __LINE__, #x, strerror(errno)); exit(1); } } while (0)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static volatile sig_atomic_t signals;
static int ready;

static void handler(int s) { (void)s; signals++; }

static void *thread(void *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	MUST(fd >= 0 && connect(fd, (void *)&to, sizeof to) == 0);
	MUST(send(fd, "line", 4, 0) == 4);
	close(fd);
	pthread_mutex_lock(&mutex);
	ready = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&mutex);
	sem_post(&sem);
	return NULL;
}

static void sockets(char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), conn, one = 1;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct addrinfo *found = NULL;
	pthread_t t;
	char text[4];

	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
	MUST(bind(fd, (void *)&at, sizeof at) == 0 && listen(fd, 1) == 0);
	MUST(sem_init(&sem, 0, 0) == 0 && pthread_create(&t, NULL, thread, port) == 0);
	MUST(poll(&p, 1, 10000) == 1);
	MUST((conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0);
	MUST(recv(conn, text, 4, MSG_WAITALL) == 4);
	pthread_mutex_lock(&mutex);
	while (!ready)
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	sem_wait(&sem);
	MUST(pthread_join(t, NULL) == 0);
	MUST(getaddrinfo("localhost", "80", NULL, &found) == 0);
	freeaddrinfo(found);
	close(conn);
	close(fd);
}

static void files(void)
{
	char *text;
	struct stat st;
	DIR *dir;
	FILE *f;
	int fd;

	MUST((f = fopen("file", "w+")) && fprintf(f, "%d %s\n", 42, "text") > 0 && fclose(f) == 0);
	MUST((fd = open("file", O_RDWR)) >= 0 && fstat(fd, &st) == 0 && ftruncate(fd, 4096) == 0 && fsync(fd) == 0);
	MUST((text = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) != MAP_FAILED);
	MUST(text[0] == '4' && msync(text, 4096, MS_SYNC) == 0 && munmap(text, 4096) == 0);
	close(fd);
	MUST(rename("file", "other") == 0 && link("other", "hard") == 0 && symlink("other", "soft") == 0 && chmod("other", 0600) == 0);
	MUST(mkdir("dir", 0755) == 0 && (dir = opendir(".")) && readdir(dir) && closedir(dir) == 0 && rmdir("dir") == 0);
	MUST(open("/nothing", O_RDONLY) < 0 && errno == ENOENT);
	MUST(unlink("hard") == 0 && unlink("soft") == 0 && unlink("other") == 0);
}

static void processes(void)
{
	struct sigaction sa = {.sa_handler = handler};
	struct timespec nap = {.tv_nsec = 1000000};
	char *argv[] = {"true", NULL};
	int status, ends[2];
	pid_t pid;

	MUST(sigaction(SIGUSR1, &sa, NULL) == 0 && raise(SIGUSR1) == 0 && signals == 1);
	MUST(pipe(ends) == 0 && (pid = fork()) >= 0);
	if (!pid) {
		MUST(write(ends[1], "x", 1) == 1);
		_exit(3);
	}
	MUST(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
	MUST(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, argv + 1) == 0 && waitpid(pid, &status, 0) == pid);
	MUST(system("exit 2") == 2 << 8);
	MUST(nanosleep(&nap, NULL) == 0 && getpwuid(0) && sysconf(_SC_NPROCESSORS_ONLN) > 0 && time(NULL) > 0);
	free(realloc(malloc(100), 10000000));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	files();
	processes();
	sockets(argv[1]);
	puts("all done");
	return 0;
}
