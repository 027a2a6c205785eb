package scan

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// A search finds libraries as ld.so does (ld.so(8)), of glibc or of musl. It does not read
// ld.so.cache but the configuration that the cache is made from.
type search struct {
	tree
	dirs map[object.Machine][]string // of the configuration
	musl map[object.Machine][]string
}

func newSearch(t tree) *search {
	return &search{tree: t, dirs: make(map[object.Machine][]string), musl: make(map[object.Machine][]string)}
}

// A platform is what names of folders say about a machine.
type platform struct{ triplet, musl, lib string }

func platformOf(m object.Machine) platform {
	if m == object.ARM64 {
		return platform{"aarch64-linux-gnu", "aarch64", "aarch64"}
	}
	return platform{"x86_64-linux-gnu", "x86_64", "x86_64"}
}

// library returns the path of a library that a file needs by name. Chain are the files
// that led to it, the one that needs it first and the program last: their DT_RPATHs count.
func (s *search) library(name string, chain []*object.File) (path string, ok bool) {
	if strings.Contains(name, "/") {
		return s.fits(s.expand(name, chain[0]), chain[0].Machine)
	}
	for _, dir := range s.folders(chain) {
		if path, ok := s.fits(filepath.Join(dir, name), chain[0].Machine); ok {
			return path, true
		}
	}
	return "", false
}

// folders returns where the libraries of a file may be, in the order of search. What
// LD_LIBRARY_PATH names is for --with.
func (s *search) folders(chain []*object.File) (dirs []string) {
	f := chain[0]
	if len(f.RunPath) == 0 {
		for _, by := range chain {
			if len(by.RunPath) == 0 {
				dirs = append(dirs, s.expandAll(by.RPath, by)...)
			}
		}
	}
	dirs = append(dirs, s.expandAll(f.RunPath, f)...)
	if isMusl(chain[len(chain)-1]) {
		return append(dirs, s.muslDirs(f.Machine)...)
	}
	return append(dirs, s.confDirs(f.Machine)...)
}

func (s *search) expandAll(list []string, f *object.File) (dirs []string) {
	for _, entry := range list {
		for dir := range strings.SplitSeq(entry, ":") {
			if dir != "" {
				dirs = append(dirs, s.expand(dir, f))
			}
		}
	}
	return dirs
}

// expand replaces what ld.so replaces in the paths that a file names.
func (s *search) expand(path string, f *object.File) string {
	p := platformOf(f.Machine)
	for _, token := range [...]struct{ name, value string }{
		{"ORIGIN", filepath.Dir(f.Path)}, {"LIB", "lib/" + p.triplet}, {"PLATFORM", p.lib},
	} {
		path = strings.ReplaceAll(path, "${"+token.name+"}", token.value)
		path = strings.ReplaceAll(path, "$"+token.name, token.value)
	}
	return path
}

// isMusl reports whether a program's interpreter is musl's.
func isMusl(f *object.File) bool { return strings.Contains(filepath.Base(f.Interp), "ld-musl") }

// muslDirs returns the folders that musl searches: those of its configuration, or a default.
func (s *search) muslDirs(m object.Machine) []string {
	dirs, ok := s.musl[m]
	if !ok {
		for _, line := range s.lines("/etc/ld-musl-" + platformOf(m).musl + ".path") {
			dirs = append(dirs, strings.FieldsFunc(line, func(r rune) bool { return r == ':' || r == '\n' })...)
		}
		if dirs == nil {
			dirs = []string{"/lib", "/usr/local/lib", "/usr/lib"}
		}
		triplet := strings.Replace(platformOf(m).triplet, "gnu", "musl", 1)
		dirs = append(dirs, "/lib/"+triplet, "/usr/lib/"+triplet) // Debian's musl
		s.musl[m] = dirs
	}
	return dirs
}

// confDirs returns the folders of /etc/ld.so.conf and those that ld.so knows itself.
func (s *search) confDirs(m object.Machine) []string {
	dirs, ok := s.dirs[m]
	if !ok {
		dirs = s.conf("/etc/ld.so.conf", 8)
		triplet := platformOf(m).triplet
		dirs = append(dirs, "/lib/"+triplet, "/usr/lib/"+triplet, "/lib64", "/usr/lib64", "/lib", "/usr/lib")
		s.dirs[m] = dirs
	}
	return dirs
}

// conf returns the folders of a configuration file of ldconfig(8).
func (s *search) conf(path string, depth int) (dirs []string) {
	if depth == 0 {
		return nil
	}
	for _, line := range s.lines(path) {
		fields := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t:,", r) })
		switch {
		case len(fields) == 0 || fields[0] == "hwcap":
		case fields[0] == "include":
			for _, pattern := range fields[1:] {
				if !strings.HasPrefix(pattern, "/") {
					pattern = filepath.Join(filepath.Dir(path), pattern)
				}
				for _, file := range s.glob(pattern) {
					dirs = append(dirs, s.conf(file, depth-1)...)
				}
			}
		default:
			dirs = append(dirs, fields...)
		}
	}
	return dirs
}

// hwcaps are the subfolders with variants of libraries for newer processors, the best
// first. Which one loads depends on the machine, so the plain one stands for all unless
// there is none.
var hwcaps = [...]string{"", "glibc-hwcaps/x86-64-v4", "glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2"}

// fits returns the resolved path of a file if it is one for the machine.
func (s *search) fits(path string, m object.Machine) (string, bool) {
	dir, name := filepath.Split(path)
	for _, sub := range hwcaps {
		clean, _, err := s.resolve(filepath.Join(dir, sub, name))
		if err != nil {
			continue
		}
		if s.machine(clean) == m {
			return clean, true
		}
	}
	return "", false
}

// machine returns the machine of a file, 0 if it is not an ELF file that can be read.
func (s *search) machine(path string) object.Machine {
	head, err := s.head(path, elfHeader)
	if err != nil {
		return 0
	}
	return machineOf(head)
}

// elfHeader is the size of an ELF header of 64 bits.
const elfHeader = 64

// machineOf returns the machine of a file that starts with an ELF header, 0 if it is none or
// one for other machines.
func machineOf(head []byte) object.Machine {
	const class64, littleEndian, x86, arm = 2, 1, 62, 183 // elf.h
	if len(head) < elfHeader || !slices.Equal(head[:4], []byte("\x7fELF")) || head[4] != class64 || head[5] != littleEndian {
		return 0
	}
	switch uint(head[18]) | uint(head[19])<<8 {
	case x86:
		return object.AMD64
	case arm:
		return object.ARM64
	}
	return 0
}
