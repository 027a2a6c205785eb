/*
 * What a library can hold. Built on Debian 12 by
 *
 *   gcc -O1 -shared -fPIC -fcf-protection -nostdlib -s -o small-amd64.so small.c -lc \
 *       -Wl,--version-script=small.map,-z,pack-relative-relocs,-z,max-page-size=4096,-z,noseparate-code,-rpath,'$ORIGIN/lib:/opt/lib',-soname,libsmall.so.1
 *   aarch64-linux-gnu-gcc -O1 -c -fPIC -mbranch-protection=standard -o small.o small.c
 *   ld.lld -shared -o small-arm64.so small.o -L/usr/aarch64-linux-gnu/lib -lc --version-script=small.map \
 *       --pack-dyn-relocs=relr -z max-page-size=4096 -z force-bti -soname libsmall.so.1
 */

#include <stdio.h>
#include <unistd.h>

static int one(void) { return getpid(); }
static int two(void) { return getppid(); }

/* Addresses of this file, and of another one: RELATIVE or RELR, and a symbol. */
static int (*table[])(void) = {one, two, getpid};
int (*pointer)(void) = two;

/* A function that the linker's user chooses: STT_GNU_IFUNC. */
static int (*choose(void))(void) { return one; }
int chosen(void) __attribute__((ifunc("choose")));

/* Two versions of a function, the older one hidden. */
__asm__(".symver old_call, call@SMALL_1");
__asm__(".symver new_call, call@@SMALL_2");
int old_call(int i) { return table[i & 3](); }
int new_call(int i) { return table[i & 3]() + chosen(); }

extern int perhaps(void) __attribute__((weak));

__attribute__((constructor)) static void start(void) { puts("start"); }
__attribute__((destructor)) static void end(void) { puts(perhaps ? "perhaps" : "end"); }
