/* A program for build_test.go: functions that only stripped files hide. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static __attribute__((noinline)) int first(int i) { return i + getpid(); }
static __attribute__((noinline)) int second(int i) { return i * getppid(); }

/* A table among code, as cryptographic assembly has them. */
__asm__(".pushsection .text\n.type in_code, %object\n.size in_code, 16\nin_code: .quad 1, 2\n.popsection");

static int (*const table[])(int) = {first, second};
int (*volatile chosen)(int);
static const char *volatile text = "text";

__attribute__((constructor)) static void early(void) { chosen = first; }
__attribute__((destructor)) static void late(void) { chosen = second; }

static __attribute__((noinline, noreturn)) void fail(const char *why) {
	fputs(why, stderr);
	exit(1);
}

int main(int argc, char **argv) {
	if (argc > 3)
		fail(argv[3]);
	return table[argc & 1](argc) + chosen(argc) + (int)strlen(text);
}
