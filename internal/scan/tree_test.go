package scan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// files makes a tree: names that end in "/" are folders, contents that start with "-> "
// symbolic links.
func files(t *testing.T, contents map[string]string) tree {
	t.Helper()
	root := t.TempDir()
	for _, name := range sortedKeys(contents) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(contents[name], "-> "); ok {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(contents[name]), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return tree{root}
}

func TestSymbolicLinksStayInTheTree(t *testing.T) {
	tree := files(t, map[string]string{
		"lib/a": "a", "usr/absolute": "-> /lib/a", "usr/relative": "-> ../lib/a", "usr/out": "-> ../../../../lib/a",
		"usr/folder": "-> /lib", "loop": "-> loop", "two": "-> /three", "three": "-> two", "etc/passwd": "inside",
	})
	for path, want := range map[string]string{
		"/lib/a": "/lib/a", "usr/absolute": "/lib/a", "/usr/relative": "/lib/a", "/usr/out": "/lib/a", "/usr/folder/a": "/lib/a",
		"/../../lib/./a": "/lib/a", "/usr/folder/../lib/a": "/lib/a",
		"/loop": "", "/two": "", "/missing": "", "/lib/a/b": "",
	} {
		got, _, err := tree.resolve(path)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, error %v, want %q", path, got, err, want)
		}
	}
	if data, err := (&contents{tree: tree}).read("/../../../etc/passwd"); err != nil || string(data) != "inside" {
		t.Errorf("read %q, error %v", data, err)
	}
}

func TestWhatIsNoRegularFileIsRefused(t *testing.T) {
	if _, err := (&contents{tree: tree{"/"}}).read("/dev/zero"); err == nil {
		t.Error("read a device")
	}
	if _, err := (&contents{tree: tree{"/"}}).read("/"); err == nil {
		t.Error("read a folder")
	}
}

func TestWalkIsSortedAndFollowsNoLinks(t *testing.T) {
	tree := files(t, map[string]string{"d/b": "", "d/a/c": "", "d/link": "-> /e", "e/f": "", "d/loop": "-> /d", "to": "-> d"})
	var got []string
	if err := tree.walk("/to", func(path string) error { got = append(got, path); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"/d/a/c", "/d/b"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// header is the start of an ELF file for a machine.
func header(machine byte) string {
	h := make([]byte, elfHeader)
	copy(h, "\x7fELF\x02\x01\x01")
	h[16], h[18], h[24] = 2, machine, 1
	return string(h)
}

func TestLibrariesAreSearchedLikeLdSo(t *testing.T) {
	const x86, arm = 62, 183
	tree := files(t, map[string]string{
		"etc/ld.so.conf": "include ld.so.conf.d/*.conf # more\n/opt/conf\n", "etc/ld.so.conf.d/z.conf": "/opt/z\n", "etc/ld.so.conf.d/a.conf": "/opt/a\n",
		"opt/a/libx.so": header(arm), "opt/z/libx.so": header(x86), "opt/conf/libx.so": header(x86), "usr/lib/libx.so": header(x86),
		"app/lib/libo.so": header(x86), "rpath/libr.so": header(x86), "runpath/libr.so": header(x86),
		"usr/lib/x86_64-linux-gnu/libd.so": "-> libd.so.1", "usr/lib/x86_64-linux-gnu/libd.so.1": header(x86),
		"etc/ld-musl-x86_64.path": "/musl/one:/musl/two\n", "musl/two/libx.so": header(x86), "text/libt.so": "INPUT(libt.so.1)",
	})
	s := newSearch(tree)
	file := func(f object.File) *object.File { f.Machine = object.AMD64; return &f }
	plain := file(object.File{Path: "/app/bin/x"})
	for _, tt := range []struct {
		name  string
		chain []*object.File
		want  string
	}{
		{"libx.so", []*object.File{plain}, "/opt/z/libx.so"},
		{"libd.so", []*object.File{plain}, "/usr/lib/x86_64-linux-gnu/libd.so.1"},
		{"libo.so", []*object.File{file(object.File{Path: "/app/bin/x", RunPath: []string{"$ORIGIN/../lib"}})}, "/app/lib/libo.so"},
		{"libo.so", []*object.File{file(object.File{Path: "/app/bin/x", RPath: []string{"/none:${ORIGIN}/../lib"}})}, "/app/lib/libo.so"},
		{"libr.so", []*object.File{plain, file(object.File{RPath: []string{"/rpath"}})}, "/rpath/libr.so"},
		{"libr.so", []*object.File{plain, file(object.File{RunPath: []string{"/runpath"}})}, ""},
		{"libr.so", []*object.File{file(object.File{RunPath: []string{"/runpath"}, RPath: []string{"/rpath"}})}, "/runpath/libr.so"},
		{"libx.so", []*object.File{file(object.File{Interp: "/lib/ld-musl-x86_64.so.1"})}, "/musl/two/libx.so"},
		{"libt.so", []*object.File{file(object.File{RunPath: []string{"/text"}})}, ""},
		{"/opt/z/libx.so", []*object.File{plain}, "/opt/z/libx.so"},
		{"/opt/a/libx.so", []*object.File{plain}, ""}, // for another machine
		{"libnone.so", []*object.File{plain}, ""},
	} {
		if got, ok := s.library(tt.name, tt.chain); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestScripts(t *testing.T) {
	tree := files(t, map[string]string{
		"bin/sh": header(62), "usr/bin/env": header(62), "usr/bin/python3": header(62), "lib/libc.so.6": header(62),
		"sh": "#! /bin/sh -e\n", "env": "#!/usr/bin/env python3\n", "split": "#!/usr/bin/env -S A=1 -u B python3 -I\n",
		"nested": "#!/sh\n", "self": "#!/self\n", "none": "#!/nothing\n", "empty": "#!\n", "unknown": "#!/usr/bin/env nosuch\n", "text": "hello\n",
		"old": "\x7fELF\x01\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\x03\x00" + strings.Repeat("\x01", 44),
	})
	for path, want := range map[string]string{
		"/sh": "/bin/sh", "/env": "/usr/bin/env /usr/bin/python3", "/split": "/usr/bin/env /usr/bin/python3", "/nested": "/bin/sh",
		"/bin/sh": "/bin/sh", "/self": "", "/none": "", "/empty": "", "/unknown": "", "/text": "", "/bin": "/bin/sh",
	} {
		found, _, err := starts(tree, []string{path})
		var got []string
		for _, s := range found {
			got = append(got, s.path)
		}
		if strings.Join(got, " ") != want && err == nil || (err == nil) != (want != "") {
			t.Errorf("%s: %q, error %v, want %q", path, got, err, want)
		}
	}
	found, unread, err := starts(tree, []string{"/"})
	if err != nil || len(found) != 3 { // sh, env and python3, once each; the library is none
		t.Errorf("all: %v, error %v", found, err)
	}
	var names []string
	for _, u := range unread {
		names = append(names, u.Module)
	}
	if got, want := strings.Join(names, " "), "/empty /none /old /self /unknown"; got != want {
		t.Errorf("left out: %q, want %q", got, want)
	}
}

// A folder of which no program can be read is an error with the reasons.
func TestUnreadableFolder(t *testing.T) {
	tree := files(t, map[string]string{"bin/a": header(62), "bin/b": "#!/nosuch\n"})
	_, err := Scan(Options{Root: tree.root, Paths: []string{"/bin"}})
	if err == nil || !strings.Contains(err.Error(), "/bin/a is left out: ") || !strings.Contains(err.Error(), "/bin/b is left out: its interpreter") {
		t.Errorf("error %v", err)
	}
}

func TestServicesOfNSS(t *testing.T) {
	p := (&scanner{search: newSearch(files(t, map[string]string{
		"etc/nsswitch.conf": "# comment\npasswd: files systemd # more\nhosts:  files mdns4_minimal [NOTFOUND=return] dns\ngroup:files[SUCCESS=merge] ldap\n",
	}))}).program()
	for database, want := range map[string]string{
		"passwd": "files systemd", "hosts": "files mdns4_minimal dns", "group": "files ldap", "initgroups": "files ldap",
		"shadow": "compat files", "networks": "dns files", "rpc": "files",
	} {
		if got := strings.Join(p.nssServices(database), " "); got != want {
			t.Errorf("%s: %q, want %q", database, got, want)
		}
	}
}

func TestNamesOfLibraries(t *testing.T) {
	for name, want := range map[string]bool{
		"libx.so": true, "libx.so.1": true, "/usr/lib/libx-2.0.so.1.2": true, "libx.so.1a": false, ".so": false, "libx.so1": false, "%s.so": false, "libx": false,
	} {
		if isLibraryName(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
