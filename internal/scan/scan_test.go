package scan_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/scan"
)

// build compiles a program in Go or, if its text has an #include, in C with the flags.
func build(t *testing.T, text string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "program")
	var cmd *exec.Cmd
	if strings.Contains(text, "#include") {
		if _, err := exec.LookPath("gcc"); err != nil {
			t.Skip("no gcc")
		}
		cmd = exec.Command("gcc", slices.Concat([]string{"-O2", "-w", "-o", out, filepath.Join(dir, "program.c")}, flags)...)
	} else {
		cmd = exec.Command("go", slices.Concat([]string{"build", "-o", out}, flags, []string{filepath.Join(dir, "program.go")})...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=", "GOWORK=off")
	}
	source := filepath.Join(dir, "program.go")
	if cmd.Args[0] == "gcc" {
		source = filepath.Join(dir, "program.c")
	}
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd.Dir = dir
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, b)
	}
	return out
}

// calls scans a program and returns the names of its calls.
func calls(t *testing.T, o scan.Options) (names []string, res *scan.Result) {
	t.Helper()
	res, err := scan.Scan(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range res.Calls {
		names = append(names, c.Name)
		if len(c.Chain) == 0 || c.Chain[0].How == "call" {
			t.Errorf("%s: chain %v", c.Name, c.Chain)
		}
	}
	return names, res
}

// check fails if a program can make one of some calls and should not, or the reverse.
func check(t *testing.T, got []string, can, cannot string) {
	t.Helper()
	for name := range strings.FieldsSeq(can) {
		if !slices.Contains(got, name) {
			t.Errorf("%s is missing", name)
		}
	}
	for name := range strings.FieldsSeq(cannot) {
		if slices.Contains(got, name) {
			t.Errorf("%s is there", name)
		}
	}
}

// Edges that count under a condition: without it, and with it.
func TestConditions(t *testing.T) {
	const (
		goHello    = `package main; func main() { println("x") }`
		goProfile  = `package main; import ("os"; "runtime/pprof"); func main() { pprof.StartCPUProfile(os.Stdout) }`
		scheduling = "sched_setscheduler sched_get_priority_min sched_get_priority_max"
	)
	// What a method found by name returns is known to reflect alone.
	const goNames = `package main; import ("os"; "reflect"; "syscall"); type A struct{}; type B struct{}
func (A) Get() B { return B{} }
func (B) Run() { syscall.Sethostname(nil) }
func call(v reflect.Value, name string) []reflect.Value { return v.%(name).Call(nil) }
func main() { call(call(reflect.ValueOf(A{}), os.Args[1])[0], os.Args[2]) }`
	locks := "#include <pthread.h>\nint main() { pthread_mutex_t m; pthread_mutexattr_t a; pthread_mutexattr_init(&a); %; pthread_mutex_init(&m, &a); pthread_mutex_lock(&m); }"
	threads := "#define _GNU_SOURCE\n#include <pthread.h>\nvoid *f(void *x) { return x; } int main() { pthread_t t; cpu_set_t c; pthread_attr_t a; pthread_attr_init(&a); %; pthread_create(&t, &a, f, 0); pthread_join(t, 0); }"
	globs := "#define _GNU_SOURCE\n#include <glob.h>\n#include <stdlib.h>\nglob_t g; int main(int n, char **v) { return %; }"
	lookups := "#include <netdb.h>\n#include <pwd.h>\n#include <sys/socket.h>\nint main(int n, char **v) { return % != 0; }"
	// New programs cannot link with glibc's RPC, and old ones are here those that look for it.
	rpc := "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <pthread.h>\nvoid *f(void *x) { return x; } int main() { pthread_t t; %; return !dlsym(RTLD_DEFAULT, \"NAME\"); }"
	remote := func(name string, threads bool) string {
		create := ""
		if threads {
			create = "pthread_create(&t, 0, f, 0); pthread_join(t, 0)"
		}
		return strings.NewReplacer("%", create, "NAME", name).Replace(rpc)
	}
	with := func(text, call string) string { return strings.Replace(text, "%", call, 1) }
	for _, tt := range []struct {
		name, text  string
		can, cannot string
	}{
		{"a Go program", goHello, "write exit_group mmap", "timer_create timer_settime timer_delete"},
		{"a Go program with a profile", goProfile, "timer_create timer_settime timer_delete setitimer", ""},
		{"a Go program that finds methods by name", with(goNames, "MethodByName"), "sethostname", ""},
		{"a Go program that finds fields by name", strings.Replace(with(goNames, "FieldByName"), ".Call(nil)", ".Slice(0, 1).Interface().([]reflect.Value)", 1), "write", "sethostname"},
		{"locks", with(locks, ""), "futex", scheduling},
		{"locks with a ceiling", with(locks, "pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_PROTECT)"), "futex " + scheduling, ""},
		{"names of files", with(globs, "glob(v[1], GLOB_MARK, 0, &g)"), "getdents64", "alarm"},
		{"names of files below homes", with(globs, "glob(v[1], GLOB_TILDE, 0, &g)"), "getdents64 alarm", ""},
		{"names of files below homes, if there are some", with(globs, "glob(v[1], n > 2 ? GLOB_TILDE_CHECK : 0, 0, &g)"), "alarm", ""},
		{"names of files by unknown flags", with(globs, "glob(v[1], atoi(v[2]), 0, &g)"), "alarm", ""},
		{"names of files through a pointer", with(globs, "((int (*)(const char *, int, void *, glob_t *))v[3] == (void *)glob)"), "alarm", ""},
		{"threads", with(threads, ""), "clone clone3 futex", "sched_setscheduler sched_setaffinity socket sendto"},
		{"threads with a policy", with(threads, "pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED)"), "sched_setscheduler", "sched_setaffinity"},
		{"threads with processors", with(threads, "pthread_attr_setaffinity_np(&a, sizeof c, &c)"), "sched_setaffinity", "sched_setscheduler"},
		{"threads with variables of RPC", remote("__rpc_thread_svc_fdset", true), "clone3 socket bind connect sendto recvfrom", ""},
		{"threads with services", remote("svc_unregister", true), "socket bind connect sendto recvfrom", ""},
		{"threads with clients", remote("clnt_create", true), "socket bind connect sendto recvfrom", ""},
		{"threads that encode numbers as RPC does", remote("xdr_int", true), "clone3", "socket bind connect sendto recvfrom"},
		{"variables of RPC without threads", remote("__rpc_thread_svc_fdset", false), "exit_group", "socket bind connect sendto recvfrom"},
		{"users", with(lookups, "getpwnam(v[1])"), "openat", "sendmmsg"},
		{"services", with(lookups, "getservbyname(v[1], v[2])"), "openat", "sendmmsg"},
		{"hosts", with(lookups, "gethostbyname(v[1])"), "sendmmsg", ""},
		{"hosts by address", with(lookups, "gethostbyaddr(v[1], 4, AF_INET)"), "sendmmsg", ""},
		{"addresses", with(lookups, "getaddrinfo(v[1], v[2], 0, (void *)v[3])"), "sendmmsg", ""},
		{"networks", with(lookups, "getnetbyname(v[1])"), "sendmmsg", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			program := build(t, tt.text)
			got, res := calls(t, scan.Options{Paths: []string{program}})
			if res.Programs[0].ABI != arch.X86_64 {
				t.Skip("glibc of another machine")
			}
			check(t, got, tt.can, tt.cannot)
			if why := res.Incomplete(); why != nil {
				t.Errorf("incomplete: %q", why)
			}
		})
	}
}

// Libraries in C, with NAMES and ASK to fill in.
const eventsLibrary = `#define _GNU_SOURCE
#include <signal.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
const char *const asserts[] = {"sd_event_add_io", NAMES};
int source_free(int n, siginfo_t *s) { if (n < 0) syscall(SYS_pidfd_send_signal, n, 9, s, 0); else kill(n, 9); return waitid(P_PID, n, s, WEXITED); }
int _nss_try_getpwnam_r(int n, siginfo_t *s) { inotify_add_watch(inotify_init1(0), asserts[n], 1); signalfd(-1, 0, 0); return source_free(n, s) + syscall(SYS_acct, 0); }
`

const saslLibrary = `#include <unistd.h>
int sasl_client_plug_init() { return chroot("x"); }
int sasl_auxprop_plug_init() { return acct("x"); }
int helper() { return sethostname("x", 1); }
`

const randomLibrary = `#include <unistd.h>
#include <stdlib.h>
#include <sys/shm.h>
#include <sys/select.h>
__attribute__((noinline)) static int wait_seeded() { fd_set s; FD_ZERO(&s); int n = shmget(114, 1, 0); if (n < 0) n = select(1, &s, 0, 0, 0); shmdt(shmat(n, 0, 0)); return n; }
int RAND_try(char *p) { return ASK(p, 8) < 0 ? wait_seeded() : 0; }
int other() { return MORE; }
`

// Libraries that programs load: what these never do, and what only some programs ask of them.
func TestLibraries(t *testing.T) {
	const child, signals, inotify = "waitid kill pidfd_send_signal", "signalfd4", "inotify_init1 inotify_add_watch"
	host := build(t, "#include <unistd.h>\nint main() { return sync(), 0; }")
	server := build(t, "#include <unistd.h>\nvoid sasl_server_init() { sync(); }\nint main() { return sasl_server_init(), 0; }", "-rdynamic", "-fno-inline")
	more := func(call string) string { return strings.ReplaceAll(randomLibrary, "MORE", call) }
	for _, tt := range []struct {
		name, text, file string // file is the folder and the name of the library
		with             string // of NAMES or ASK
		host             string
		can, cannot      string
	}{
		{"an event loop", eventsLibrary, "libnss_try.so.2", `"sd_event_add_time"`, host, "acct", child + " " + signals + " " + inotify},
		{"one for children", eventsLibrary, "libnss_try.so.2", `"sd_event_add_child_pidfd"`, host, "acct " + child + " " + signals, inotify},
		{"one for signals", eventsLibrary, "libnss_try.so.2", `"sd_event_add_signal"`, host, signals, child + " " + inotify},
		{"one for files", eventsLibrary, "libnss_try.so.2", `"sd_event_add_inotify"`, host, inotify, child + " " + signals},
		{"an event loop elsewhere", eventsLibrary, "libtry.so.2", `"x"`, host, child + " " + signals + " " + inotify, ""},
		{"a client of SASL", saslLibrary, "sasl2/libtry.so.2", "", host, "chroot", "acct sethostname"},
		{"a server of SASL", saslLibrary, "sasl2/libtry.so.2", "", server, "chroot acct", "sethostname"},
		{"a library like one for SASL", saslLibrary, "libtry.so.2", "", server, "chroot acct sethostname", ""},
		{"random numbers", more("0"), "libcrypto.so.9", "getentropy", host, "getrandom", "shmget shmat shmdt pselect6"},
		{"random numbers of the kernel", more("0"), "libcrypto.so.9", "getrandom", host, "getrandom", "shmget shmat shmdt pselect6"},
		{"random numbers from elsewhere", more("0"), "libcrypto.so.9", "open", host, "shmget shmat shmdt pselect6", ""},
		{"random numbers elsewhere", more("0"), "libother.so.9", "getentropy", host, "shmget shmat shmdt pselect6", ""},
		{"random numbers, and waiting", more("select(0, 0, 0, 0, 0)"), "libcrypto.so.9", "getentropy", host, "pselect6", "shmget shmat shmdt"},
		{"random numbers, and shared memory", more("shmget(1, 1, 0)"), "libcrypto.so.9", "getentropy", host, "shmget shmat shmdt pselect6", ""},
		{"random numbers, and a pointer", more("(int)(long)shmat"), "libcrypto.so.9", "getentropy", host, "shmget shmat shmdt pselect6", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.NewReplacer("NAMES", tt.with, "ASK", tt.with).Replace(tt.text)
			library := build(t, text, "-shared", "-fPIC", "-Wl,-soname,"+filepath.Base(tt.file))
			file := filepath.Join(t.TempDir(), tt.file)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(library, file); err != nil {
				t.Fatal(err)
			}
			got, res := calls(t, scan.Options{Paths: []string{tt.host}, With: []string{file}})
			if res.Programs[0].ABI != arch.X86_64 {
				t.Skip("glibc of another machine")
			}
			check(t, got, tt.can, tt.cannot)
		})
	}
}

// Numbers through syscall(3), by literal and unknown; names of libraries likewise.
func TestUnresolved(t *testing.T) {
	// The register has the address from the GOT, beside a pointer to who knows what.
	const loaded = "#include <unistd.h>\nint main(int n, char **v) { long (*f)(long, ...) = syscall; asm volatile(\"\" : \"+r\"(f)); % for (int i = 0; i < n; i++) if (f(163, v[i])) f(169, i); return ((int (*)(int))v[0])(n); }"
	looksUp := func(call string) string {
		return "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <stdio.h>\n#include <string.h>\nstatic const char *names[] = {\"vhangup\", \"sync\"};\n" +
			"__attribute__((noinline)) void *look(void *h, const char *name) { asm volatile(\"\"); return dlsym(h, name); } int main(int n, char **v) { fputs(v[0], stderr); return !" + call + "; }"
	}
	for _, tt := range []struct {
		name, text string
		can        string
		reason     string // of what makes it incomplete
	}{
		{"a literal number", "#include <unistd.h>\nint main() { return syscall(169); }", "reboot", ""},
		{"through a function", "#include <unistd.h>\n__attribute__((noinline)) long f(long n, long a) { return syscall(n, a); } int main() { return f(163, 0) + f(163, 1); }", "acct", ""},
		{"an argument", "#include <unistd.h>\n#include <stdlib.h>\nint main(int n, char **v) { return syscall(atoi(v[1])); }", "", "gets a number that is not constant"},
		{"a library by name", "#include <dlfcn.h>\nint main(int n, char **v) { return !dlopen(v[1], RTLD_NOW); }", "", "opens libraries whose names are not in its data"},
		{"a library by name, beside one that is missing", "#include <dlfcn.h>\nconst char *volatile other = \"libmissing.so.9\"; int main(int n, char **v) { return !dlopen(v[1], RTLD_NOW) + !other; }", "", "opens libraries whose names are not in its data"},
		{"through a register", strings.Replace(loaded, "%", "", 1), "acct reboot", ""},
		{"through a pointer", strings.Replace(loaded, "%", "*(void **)v = f;", 1), "", "gets its number from callers that are not known"},
		{"a function by the end of a longer name", "#define _GNU_SOURCE\n#include <dlfcn.h>\nconst char t[] = \"not vhangup\"; int main(int n, char **v) { return !dlsym(RTLD_DEFAULT, n > 2 ? v[1] : t + 4); }", "vhangup", ""},
		{"a literal function", "#define _GNU_SOURCE\n#include <dlfcn.h>\nint main() { return !dlsym(RTLD_DEFAULT, \"vhangup\"); }", "vhangup", ""},
		{"a function of its own", "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <unistd.h>\n__attribute__((visibility(\"default\"), used)) void flush(void) { sync(); } int main() { return !dlsym(RTLD_DEFAULT, \"flush\"); }", "sync", ""},
		{"a function of its own by any name", "#include <dlfcn.h>\n#include <unistd.h>\nvoid flush(void) { sync(); } int main(int n, char **v) { return !dlsym(dlopen(0, RTLD_NOW), v[1]); }", "sync", ""},
		{"a function by name", "#define _GNU_SOURCE\n#include <dlfcn.h>\nint main(int n, char **v) { return !dlsym(RTLD_DEFAULT, v[1]); }", "", "looks up functions whose names are not in its data"},
		{"a function of a table", looksUp("dlsym(RTLD_DEFAULT, names[n])"), "vhangup sync", ""},
		{"a function of a table, in a library that is there", looksUp("dlsym(dlopen(\"libc.so.6\", RTLD_NOW), names[n])"), "vhangup sync", ""},
		{"a function of a table, through another", looksUp("look(RTLD_DEFAULT, names[n])"), "vhangup sync", ""},
		{"a function through a pointer to dlsym", strings.Replace(looksUp("pointer(RTLD_DEFAULT, names[n])"), "static", "void *(*volatile pointer)(void *, const char *) = dlsym; static", 1), "vhangup sync", ""},
		{"a function by a name of parts", strings.Replace(looksUp("dlsym(RTLD_DEFAULT, strcat(v[1], \"p\"))"), "\"vhangup\", \"sync\"", "", 1), "", "looks up functions whose names are not in its data"},
		{"an addon of Node.js", "#include <dlfcn.h>\nvoid napi_module_register(void *m) {} const char *volatile folder = \"/usr/lib/nodejs/addons\"; int main(int n, char **v) { return !dlopen(v[1], RTLD_NOW) + !folder; }", "", "opens addons that scripts name"},
		{"a literal library", "#include <dlfcn.h>\nint main() { return !dlopen(\"libm.so.6\", RTLD_NOW); }", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var flags []string
			if strings.Contains(tt.name, "of its own") || strings.Contains(tt.name, "addon") {
				flags = []string{"-rdynamic"}
			}
			got, res := calls(t, scan.Options{Paths: []string{build(t, tt.text, flags...)}})
			check(t, got, tt.can, "")
			why := strings.Join(res.Incomplete(), "\n")
			if tt.reason == "" && why != "" || !strings.Contains(why, tt.reason) {
				t.Errorf("incomplete: %q, want %q", why, tt.reason)
			}
			if tt.name == "a literal library" && !slices.ContainsFunc(res.Modules, func(m scan.Module) bool { return strings.HasPrefix(m.Why, "dlopen literal") }) {
				t.Errorf("libm is not loaded: %+v", res.Modules)
			}
		})
	}
}

// A handle that is kept in memory may be one of any library: what is looked up through it is listed.
func TestKeptHandle(t *testing.T) {
	program := build(t, "#include <dlfcn.h>\nint main(int n, char **v) { void *kept = *(void **)v[2]; return !dlsym(kept, v[1]); }")
	_, res := calls(t, scan.Options{Paths: []string{program}})
	if !slices.ContainsFunc(res.Unresolved, func(u scan.Unresolved) bool {
		return u.Step.Module == program && strings.Contains(u.Reason, "that it opened")
	}) {
		t.Errorf("the place is not listed: %+v", res.Unresolved)
	}
}

// A static program with glibc loads modules of the name service switch, and libraries that it names.
func TestStaticPrograms(t *testing.T) {
	const users = "#include <pwd.h>\nint main(int n, char **v) { return !getpwnam(v[1]); }"
	for _, flags := range [][]string{{"-static"}, {"-static", "-s"}, {"-static-pie"}} {
		_, res := calls(t, scan.Options{Paths: []string{build(t, users, flags...)}})
		if !slices.ContainsFunc(res.Modules, func(m scan.Module) bool { return strings.HasPrefix(m.Why, "NSS (") }) {
			t.Errorf("%q: no modules of NSS", flags)
		}
	}
	plugin := build(t, "#include <unistd.h>\nvoid start(void) { vhangup(); }", "-shared", "-fPIC")
	program := build(t, "#include <dlfcn.h>\nint main() { return !dlopen(\""+plugin+"\", RTLD_NOW); }", "-static")
	got, _ := calls(t, scan.Options{Paths: []string{program}})
	check(t, got, "vhangup", "")
}

// Pointers that no code computes: packed in a program that is not moved, and what a thread gets of
// a library.
func TestPointersInData(t *testing.T) {
	packed := build(t, "#include <unistd.h>\nstruct __attribute__((packed)) { char c; int (*f)(void); } p = {1, vhangup}; int main() { asm volatile(\"\" : : \"r\"(&p) : \"memory\"); return p.f(); }", "-no-pie", "-static")
	got, _ := calls(t, scan.Options{Paths: []string{packed}})
	check(t, got, "vhangup", "")

	library := build(t, "#include <unistd.h>\nstatic void hidden(void) { vhangup(); } __thread void (*pointer)(void) = hidden; void run(void) { pointer(); }", "-shared", "-fPIC")
	program := build(t, "#include <unistd.h>\nvoid run(void); int main() { run(); }", library)
	got, _ = calls(t, scan.Options{Paths: []string{program}})
	check(t, got, "vhangup", "")
}

// Pointers to syscall(3) of which another library makes use, and one that stays where it is.
func TestPointersToOthers(t *testing.T) {
	const table = "#include <unistd.h>\n% struct { long (*f)(long, ...); } table = {syscall}; void *volatile seen; void show(void) { seen = &table; } void call(void) { table.f(SHOWN); }"
	user := build(t, "#include <unistd.h>\nextern struct { long (*f)(long, ...); } table __attribute__((weak)); void use(void) { table.f(153); } void callback(long (*f)(long, ...)) { f(153); }", "-shared", "-fPIC")
	for _, tt := range []struct {
		name, owner, main string
		complete          bool
	}{
		{"in an argument", table, "callback(syscall);", false},
		{"in a table with a name", strings.Replace(table, "%", "", 1), "show(); use();", false},
		{"in a table of its own", strings.Replace(table, "%", "static", 1), "show(); call();", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			owner := build(t, strings.NewReplacer("%", "static", "SHOWN", "169").Replace(tt.owner), "-shared", "-fPIC")
			program := build(t, "#include <unistd.h>\nvoid show(void), use(void), call(void), callback(long (*)(long, ...)); int main() { "+tt.main+" }", "-Wl,--no-as-needed", owner, user)
			got, res := calls(t, scan.Options{Paths: []string{program}})
			why := strings.Join(res.Incomplete(), "\n")
			if tt.complete != (why == "") || !tt.complete && !strings.Contains(why, "gets its number from callers that are not known") {
				t.Errorf("incomplete: %q", why)
			}
			if tt.complete {
				check(t, got, "reboot", "")
			}
		})
	}
}

// A library that opens what others name, as libltdl does, may name a folder that is not there.
func TestPluginsOfOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lib", "plugins")
	plugin := build(t, "#include <unistd.h>\nvoid start(void) { vhangup(); }", "-shared", "-fPIC")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(plugin, filepath.Join(dir, "plugin.so")); err != nil {
		t.Fatal(err)
	}
	opener := build(t, "#include <dlfcn.h>\nconst char *folder = \"/usr/lib/not/there\"; void *load(const char *name) { return dlopen(name[1] ? name : folder, RTLD_NOW); }", "-shared", "-fPIC", "-Wl,-soname,libopener.so.1")
	if err := os.Symlink(opener, filepath.Join(filepath.Dir(opener), "libopener.so.1")); err != nil {
		t.Fatal(err)
	}
	program := build(t, "#include <unistd.h>\nvoid *load(const char *); const char *volatile dir = \""+dir+"\"; int main(int n, char **v) { return !load(n > 1 ? v[1] : dir); }", opener, "-Wl,-rpath,"+filepath.Dir(opener))
	got, _ := calls(t, scan.Options{Paths: []string{program}})
	check(t, got, "vhangup", "")
}

// libseccomp gives syscall(3) a number from a variable; other libraries that do so are not bounded.
func TestLibseccomp(t *testing.T) {
	const library = "#include <unistd.h>\nstatic int number = -1; void set(int n) { number = n; } int load() { return syscall(number, 1, 0, 0); }"
	program := build(t, "#include <unistd.h>\nint main() { return getpid(); }")
	for name, complete := range map[string]bool{"libseccomp.so.2": true, "libother.so.2": false} {
		plugin := build(t, library, "-shared", "-fPIC", "-Wl,-soname,"+name)
		got, res := calls(t, scan.Options{Paths: []string{program}, With: []string{plugin}})
		if slices.Contains(got, "seccomp") != complete || (len(res.Incomplete()) == 0) != complete {
			t.Errorf("%s: %q, incomplete: %q", name, got, res.Incomplete())
		}
	}
}

// Two libraries that a program opens need libraries with functions of the same name.
func TestScopes(t *testing.T) {
	helper := func(call string) string {
		return "#include <unistd.h>\nint helper(void) { " + call + "; return 0; }"
	}
	const plugin = "#include <unistd.h>\nint helper(void); __attribute__((constructor)) static void start(void) { helper(); }"
	var plugins []string
	for _, call := range []string{"sync()", "vhangup()"} {
		needed := build(t, helper(call), "-shared", "-fPIC")
		plugins = append(plugins, build(t, plugin, "-shared", "-fPIC", "-Wl,--no-as-needed", needed))
	}
	program := build(t, "#include <unistd.h>\nint main() { return getpid(); }")
	for _, with := range [][]string{plugins, {plugins[1], plugins[0]}} {
		got, _ := calls(t, scan.Options{Paths: []string{program}, With: with})
		check(t, got, "sync vhangup", "")
	}
}

// Ways that are known late, or found behind longer ones, are the shortest.
func TestShortest(t *testing.T) {
	const noinline = "__attribute__((noinline, noclone)) "
	plugin := build(t, "#include <unistd.h>\nint deep(void); __attribute__((constructor)) static void start(void) { deep(); }", "-shared", "-fPIC")
	host := build(t, "#include <dlfcn.h>\n#include <unistd.h>\n"+noinline+"int deep(void) { sync(); return 1; } "+noinline+"int second(void) { return deep() + 1; } "+noinline+
		"int first(void) { return second() + 1; } int main() { return dlopen(\""+plugin+"\", RTLD_NOW) ? first() : 0; }", "-rdynamic")
	wrapped := build(t, "#include <unistd.h>\n"+noinline+"long inner(long n) { return syscall(n) + 1; } "+noinline+"long middle(long n) { return inner(n) + 1; } "+noinline+
		"long outer(long n) { return middle(n) + 1; } int main() { return outer(163) + inner(163); }")
	for _, tt := range []struct {
		name, program, call string
		shortest            bool
		start               string // how the chain starts
		through, not        string
	}{
		{"as found", host, "sync", false, "entry", "main first second deep", "start"},
		{"known late", host, "sync", true, "constructor", "start deep", "main first second"},
		{"through functions", wrapped, "acct", true, "entry", "main inner", "middle outer"},
	} {
		_, res := calls(t, scan.Options{Paths: []string{tt.program}, Shortest: tt.shortest})
		for _, c := range res.Calls {
			if c.Name != tt.call {
				continue
			}
			var names []string
			for _, s := range c.Chain {
				names = append(names, s.Name)
			}
			check(t, names, tt.through, tt.not)
			if c.Chain[0].How != tt.start {
				t.Errorf("%s: %+v starts with %s", tt.name, c.Chain, tt.start)
			}
		}
	}
}

// Libraries whose names come from users: SQLite's extensions, and those that --with names.
func TestNamedByUsers(t *testing.T) {
	const library = `#include <dlfcn.h>
const char sqlite3_version[] = "VERSION";
static int load(char *name) { return !dlopen(name, RTLD_NOW); }
int (*loader)(char *) = load;
int sqlite3_load_extension(char *name) { return loader(name); }
int sqlite3_open(char *name) { return loader(name); }
`
	plugin := build(t, "#include <unistd.h>\nint start(void) { return vhangup(); }", "-shared", "-fPIC")
	for _, tt := range []struct {
		name, soname, version, call string
		with                        []string
		bounded, reason             string
	}{
		{"not asked for", "libsqlite3.so.0", "3.40.1", "sqlite3_open(v[1])", nil, "", ""},
		{"asked for", "libsqlite3.so.0", "3.40.1", "sqlite3_load_extension(v[1])", nil, "extensions that users name", ""},
		{"looked up", "libsqlite3.so.0", "3.40.1", "sqlite3_open(v[1]) + !dlsym(RTLD_DEFAULT, \"sqlite3_load_extension\")", nil, "extensions that users name", ""},
		{"an old version", "libsqlite3.so.0", "3.8.2", "sqlite3_open(v[1])", nil, "", "opens libraries whose names are not in its data: name them"},
		{"another library", "libother.so.0", "3.40.1", "sqlite3_open(v[1])", nil, "", "opens libraries whose names are not in its data: name them"},
		{"another library that --with names", "libother.so.0", "3.40.1", "sqlite3_open(v[1])", []string{plugin}, "those that --with names are in", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, tt.soname)
			if err := os.Rename(build(t, strings.Replace(library, "VERSION", tt.version, 1), "-shared", "-fPIC", "-Wl,-soname,"+tt.soname), file); err != nil {
				t.Fatal(err)
			}
			program := build(t, "#define _GNU_SOURCE\n#include <dlfcn.h>\nint main(int n, char **v) { return "+tt.call+"; }", file, "-Wl,-rpath,"+dir)
			_, res := calls(t, scan.Options{Paths: []string{program}, With: tt.with})
			var bounded []string
			for _, u := range res.Unresolved {
				if !u.Harm && strings.Contains(u.Reason, "opens") {
					bounded = append(bounded, u.Reason)
				}
			}
			for _, d := range []struct{ got, want string }{{strings.Join(bounded, "\n"), tt.bounded}, {strings.Join(res.Incomplete(), "\n"), tt.reason}} {
				if d.want == "" && d.got != "" || !strings.Contains(d.got, d.want) {
					t.Errorf("%q, want %q", d.got, d.want)
				}
			}
		})
	}
}

// What a filter filters defines its symbols.
func TestFilter(t *testing.T) {
	filtee := build(t, "#include <unistd.h>\nint helper(void) { sync(); return 0; }", "-shared", "-fPIC")
	filter := build(t, "#include <stddef.h>\nint helper(void) { return 1; }", "-shared", "-fPIC", "-Wl,-f,"+filtee)
	got, _ := calls(t, scan.Options{Paths: []string{build(t, "#include <stddef.h>\nint helper(void); int main() { return helper(); }", filter)}})
	check(t, got, "sync", "")
}

func TestArguments(t *testing.T) {
	families := func(abi arch.ABI, name string) uint8 {
		if name == "socket" {
			return 1
		}
		return 0
	}
	for _, tt := range []struct {
		text string
		want []uint64
	}{
		{"#include <sys/socket.h>\nint main(int n, char **v) { return n > 1 ? socket(AF_UNIX, 1, 0) : socket(AF_VSOCK, 1, 0); }", []uint64{1, 40}},
		{"#include <sys/socket.h>\nint main(int n, char **v) { return socket(n, 1, 0); }", nil},
	} {
		_, res := calls(t, scan.Options{Paths: []string{build(t, tt.text)}, Args: families})
		for _, c := range res.Calls {
			if c.Name == "socket" && (c.Args[0].Any != (tt.want == nil) || !slices.Equal(c.Args[0].Values, tt.want)) {
				t.Errorf("family %+v, want %v", c.Args[0], tt.want)
			}
		}
	}
}

// The same files give the same result, with and without a cache.
func TestDeterminism(t *testing.T) {
	program := build(t, `package main; import "net/http"; func main() { http.ListenAndServe(":0", nil) }`, "-ldflags=-s -w")
	dir := t.TempDir()
	var first *scan.Result
	for _, cache := range []string{"", dir, dir} {
		_, res := calls(t, scan.Options{Paths: []string{program}, Cache: cache})
		if first == nil {
			first = res
		}
		if len(res.Calls) != len(first.Calls) {
			t.Fatalf("%d calls, then %d", len(first.Calls), len(res.Calls))
		}
		for i := range res.Calls {
			if !slices.Equal(res.Calls[i].Chain, first.Calls[i].Chain) {
				t.Errorf("%s: %v, then %v", res.Calls[i].Name, first.Calls[i].Chain, res.Calls[i].Chain)
			}
		}
	}
}
