package scan

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/internal/debian"
	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/internal/scan"
	"github.com/seccompile/seccompile/syscalltables"
)

// A twin is a program of Debian's for x86_64 and aarch64, and a command that exercises it
// without starting others: an emulator cannot start them.
type twin struct {
	program string // its path in the packages
	pkg     string
	script  string // run by sh, with $P for the program
}

var twins = []twin{
	{"/usr/bin/sort", "coreutils", `seq 200000 >n; $P -R n >r; $P -n --parallel=2 r | cmp - n; ! $P nothing`},
	{"/bin/cp", "coreutils", `mkdir -p a/b; seq 9 >a/f; ln -s f a/l; $P -a a c; $P --sparse=always a/f g; $P -l a/f h; ! $P nothing c`},
	{"/bin/ls", "coreutils", `$P -laR /etc/apt >/dev/null; $P --color -i -Z . ; ! $P nothing`},
	{"/bin/grep", "grep", `seq 10000 >n; $P -c 99 n; $P -r 77 . >/dev/null; $P -P '^\d$' n; ! $P x nothing`},
	{"/bin/tar", "tar", `mkdir a; seq 9 >a/f; ln a/f a/g; ln -s f a/s; $P cf t a; $P tvf t; mkdir b; $P xpf t -C b; $P df t; ! $P xf nothing`},
	{"/usr/bin/find", "findutils", `mkdir -p a/b; $P . -type d -printf '%p %u %T+\n' -ls; $P /etc -name '*.conf' >/dev/null; ! $P nothing`},
	{"/bin/sed", "sed", `seq 9 >n; $P -i.bak s/1/2/ n; $P -n '$p' n; $P --follow-symlinks -i -e d n; ! $P p nothing`},
	{"/bin/bash", "bash", `$P -c 'x=$(echo a); for i in 1 2; do (echo $i); done; trap "echo t" USR1; kill -USR1 $$; read y </etc/hostname; cd /; umask 7; echo $x | while read z; do :; done; wait'`},
	{"/bin/gzip", "gzip", `seq 9999 >n; $P -k n; $P -t n.gz; $P -dc n.gz | cmp - n; ! $P nothing`},
	{"/usr/bin/xz", "xz-utils", `seq 99999 >n; $P -k -T2 --block-size=99999 n; $P -t n.xz; $P -dc n.xz | cmp - n; ! $P nothing`},
	{"/usr/bin/jq", "jq", `echo '{"a": 1}' | $P .a; $P -n '[range(9)] | add, (now | strftime("%Z"))'; ! $P . nothing`},
	{"/usr/bin/sqlite3", "sqlite3", `$P d 'create table t(a); insert into t values(1); pragma journal_mode=wal; insert into t values(2); vacuum; select * from t'; ! $P d nothing`},
	{"/usr/bin/curl", "curl", `$P -s "$HTTP/hello"; $P -sk "$HTTPS/big" -o big; ! $P -s "$HTTPS/hello"; $P -s -d x "$HTTP/echo"`},
	{"/usr/bin/openssl", "openssl", `$P rand -hex 8; $P genrsa -out k 1024; $P dgst -sha256 k; $P req -x509 -new -key k -out c -subj /CN=x; $P x509 -in c -noout -text >/dev/null; ! $P x509 -in nothing`},
	{"/usr/bin/perl", "perl-base", `$P -e 'open F, ">f"; print F "x"; close F; rename "f", "g"; stat "g"; my $p = fork; exit 0 unless $p; wait; $SIG{USR1} = sub {}; kill "USR1", $$; select undef, undef, undef, 0.01; opendir D, "."; readdir D; unlink "g"'`},
	{"/usr/bin/git", "git", `$P init -q r; cd r; $P config user.name a; $P config user.email a@b; seq 99 >f; $P add f; $P commit -qm m; $P status; $P log -1; $P -c gc.auto=0 fsck; ! $P show nothing`},
	{"/usr/bin/redis-server", "redis-server", `$P --version; ! $P --port x; $P - --port 0 --unixsocket "$PWD/s" --save '' </dev/null & sleep 2; kill $!; wait`},
	{"/usr/sbin/nginx", "nginx-light", `echo 'events {} http { access_log off; server { listen unix:s; } }' >c; $P -t -p "$PWD" -e stderr -c "$PWD/c" || true; $P -V; ! $P -c /nothing -e stderr`},
}

// root returns the root folder of all twins for an architecture of Debian's.
func root(t *testing.T, debArch string) string {
	t.Helper()
	packages := []string{"libc-bin", "base-files"}
	for _, tw := range twins {
		if !slices.Contains(packages, tw.pkg) {
			packages = append(packages, tw.pkg)
		}
	}
	dir, err := debian.Installed(t.Context(), "scan-twins-"+debArch, "bookworm", debArch, packages...)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// successors are the calls that an ABI has which came later than x86_64, in the place of
// older ones.
var successors = map[string]string{
	"access": "faccessat", "alarm": "setitimer", "chmod": "fchmodat", "chown": "fchownat", "creat": "openat", "dup2": "dup3",
	"epoll_create": "epoll_create1", "epoll_wait": "epoll_pwait", "eventfd": "eventfd2", "fork": "clone", "futimesat": "utimensat", "getdents": "getdents64",
	"getpgrp": "getpgid", "inotify_init": "inotify_init1", "lchown": "fchownat", "link": "linkat", "lstat": "newfstatat", "mkdir": "mkdirat", "mknod": "mknodat",
	"open": "openat", "pause": "ppoll", "pipe": "pipe2", "poll": "ppoll", "readlink": "readlinkat", "rename": "renameat", "rmdir": "unlinkat", "select": "pselect6",
	"signalfd": "signalfd4", "stat": "newfstatat", "symlink": "symlinkat", "time": "gettimeofday", "unlink": "unlinkat", "utime": "utimensat", "utimes": "utimensat",
	"vfork": "clone", "arch_prctl": "",
}

// differences are calls that only one of two twins can make, by name, and why.
var differences = map[string]string{
	"clone3":      "only x86_64's glibc 2.36 has it",
	"dup3":        "aarch64's freopen is behind fputc, which ends with libc's own _Unwind_Resume; that this does not return cannot be seen",
	"prctl":       "aarch64's ld.so switches memory tags on",
	"sigaltstack": "aarch64's libcrypto tries instructions and catches SIGILL; siglongjmp looks at the stack",
}

// modern returns a set of x86_64 in terms of aarch64.
func modern(t *testing.T, calls set) set {
	t.Helper()
	all := make(set)
	for name := range calls {
		call, _ := syscalltables.Lookup(name)
		if _, ok := call.Number(arch.AArch64); ok {
			all[name] = true
			continue
		}
		later, ok := successors[name]
		if !ok {
			t.Errorf("%s is not a call of aarch64: what has it instead?", name)
		}
		if later != "" {
			all[later] = true
		}
	}
	return all
}

// Programs for aarch64 make no call under an emulator that scan left out, and what scan finds
// in them is what it finds in the same programs for x86_64.
func TestTwins(t *testing.T) {
	if os.Getenv("SECCOMPILE_SCAN") == "" {
		t.Skip("it fetches some 400 MB of packages: make -C conformance scan")
	}
	need.Program(t, "qemu-aarch64", "qemu-user")
	roots := map[string]string{"amd64": root(t, "amd64"), "arm64": root(t, "arm64")}
	for _, tw := range twins {
		t.Run(filepath.Base(tw.program), func(t *testing.T) {
			here, _ := scanRoot(t, roots["amd64"], tw.program)
			there, complete := scanRoot(t, roots["arm64"], tw.program)
			made := emulated(t, roots["arm64"], tw)
			if names := missed(made, there); len(names) > 0 {
				t.Errorf("made on aarch64 and not found: %s", strings.Join(names, " "))
			}
			same := modern(t, here)
			for _, d := range []struct{ where, names string }{
				{"only x86_64", strings.Join(unexplained(same.minus(there)), " ")},
				{"only aarch64", strings.Join(unexplained(there.minus(same)), " ")},
			} {
				switch {
				case d.names == "":
				case complete:
					t.Errorf("%s: %s", d.where, d.names)
				default: // as scan says itself
					t.Logf("%s: %s, and what scan finds on aarch64 is incomplete", d.where, d.names)
				}
			}
			t.Logf("seen %d, found %d on aarch64 and %d on x86_64", len(made), len(there), len(here))
		})
	}
}

func unexplained(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return differences[name] != "" })
}

// scanRoot returns what scan finds in a program of a root folder, and whether that is all.
func scanRoot(t *testing.T, root, program string) (calls set, complete bool) {
	t.Helper()
	res, err := scan.Scan(scan.Options{Root: root, Paths: []string{program}})
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range res.Incomplete() {
		t.Logf("%s: incomplete: %s", root, reason)
	}
	calls = make(set)
	for _, c := range res.Calls {
		calls[c.Name] = true
	}
	return calls, len(res.Incomplete()) == 0
}

var emulatedLine = regexp.MustCompile(`^\d+ ([a-z_0-9]+)\(`)

// emulated returns the calls that a program makes under the emulator.
func emulated(t *testing.T, root string, tw twin) set {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	w := workload{name: tw.program, script: "P=\"$UNDER $PROGRAM\"\n" + strings.ReplaceAll(tw.script, "! $P", "fails $P"), program: filepath.Join(root, tw.program)}
	w.run(t, "emulated", "qemu-aarch64", "-L", root, "-d", "strace", "-D", log+".%d")
	files, err := filepath.Glob(log + ".*")
	if err != nil || len(files) == 0 {
		t.Fatalf("the emulator left no log, %v", err)
	}
	calls := make(set)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if m := emulatedLine.FindStringSubmatch(line); m != nil {
				calls[m[1]] = true
			}
		}
	}
	if !calls["exit_group"] {
		t.Fatal(fmt.Sprint("the emulator saw only ", calls.sorted()))
	}
	return calls
}
