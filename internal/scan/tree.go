package scan

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A tree is the file system below a folder as a process sees it whose root that folder is:
// absolute symbolic links start there, and ".." does not leave it.
type tree struct{ root string }

// maxLinks is how many symbolic links a path may have (linux/namei.h: MAXSYMLINKS).
const maxLinks = 40

var errLinks = errors.New("too many symbolic links")

// resolve returns a path of the tree without symbolic links, and the file's place on the host.
func (t tree) resolve(path string) (clean, host string, err error) {
	links := 0
	rest := strings.Split(filepath.ToSlash(path), "/")
	slices.Reverse(rest) // what is next comes last
	at := "/"
	for len(rest) > 0 {
		name := rest[len(rest)-1]
		rest = rest[:len(rest)-1]
		if name == "" || name == "." {
			continue
		}
		next := filepath.Join(at, name) // Join keeps "/.." at "/"
		info, err := os.Lstat(t.host(next))
		if err != nil {
			return "", "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", "", &fs.PathError{Op: "open", Path: path, Err: errLinks}
		}
		target, err := os.Readlink(t.host(next))
		if err != nil {
			return "", "", err
		}
		if strings.HasPrefix(target, "/") {
			at = "/"
		}
		parts := strings.Split(target, "/")
		slices.Reverse(parts)
		rest = append(rest, parts...)
	}
	return at, t.host(at), nil
}

// host returns where a path without symbolic links is on the host.
func (t tree) host(clean string) string { return filepath.Join(t.root, clean) }

// isDir reports whether a path is a folder.
func (t tree) isDir(path string) bool {
	_, host, err := t.resolve(path)
	if err != nil {
		return false
	}
	info, err := os.Stat(host)
	return err == nil && info.IsDir()
}

// maxFile bounds what is read of one file: programs have some hundred megabytes at most.
const maxFile = 1 << 30

var errNotRegular = errors.New("is not a regular file")

// head returns at most the first n bytes of a regular file.
func (t tree) head(path string, n int64) ([]byte, error) {
	f, _, info, err := t.regular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, min(n, info.Size()))
}

// regular opens a regular file, which has a place on the host.
func (t tree) regular(path string) (f *os.File, host string, info fs.FileInfo, err error) {
	_, host, err = t.resolve(path)
	if err != nil {
		return nil, "", nil, err
	}
	info, err = os.Stat(host)
	switch {
	case err != nil:
		return nil, "", nil, err
	case !info.Mode().IsRegular(): // a pipe would block
		return nil, "", nil, &fs.PathError{Op: "read", Path: path, Err: errNotRegular}
	}
	f, err = os.Open(host)
	return f, host, info, err
}

// readAll reads what is in a file of a size.
func readAll(f *os.File, size int64) ([]byte, error) {
	data := make([]byte, size)
	k, err := io.ReadFull(f, data)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // it has shrunk
	}
	return data[:k], err
}

// lines returns the lines of a text file without comments and surrounding space, none if it
// cannot be read.
func (t tree) lines(path string) (list []string) {
	data, err := t.head(path, 1<<20)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// glob returns the paths that match a pattern, sorted. Wildcards are in names only, as
// ld.so.conf and plug-in folders have them.
func (t tree) glob(pattern string) []string {
	matches := []string{"/"}
	for part := range strings.SplitSeq(pattern, "/") {
		if part == "" {
			continue
		}
		var next []string
		for _, dir := range matches {
			if !strings.ContainsAny(part, "*?[") {
				if _, _, err := t.resolve(filepath.Join(dir, part)); err == nil {
					next = append(next, filepath.Join(dir, part))
				}
				continue
			}
			for _, name := range t.names(dir) {
				if ok, err := filepath.Match(part, name); err == nil && ok {
					next = append(next, filepath.Join(dir, name))
				}
			}
		}
		matches = next
	}
	slices.Sort(matches)
	return matches
}

// names returns the names in a folder, sorted; none if it cannot be read.
func (t tree) names(dir string) (names []string) {
	_, host, err := t.resolve(dir)
	if err != nil {
		return nil
	}
	entries, err := os.ReadDir(host)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Limits of a walk through a folder.
const (
	maxDepth = 64
	maxFiles = 1 << 20
)

// walk calls do for the regular files below a path, or for the path itself if it is one, in
// the order of names. It follows no symbolic links but the path itself: what they lead to is
// a file of the tree under another name.
func (t tree) walk(path string, do func(path string) error) error {
	left := maxFiles
	return t.walkDepth(path, maxDepth, &left, do)
}

func (t tree) walkDepth(path string, depth int, left *int, do func(path string) error) error {
	clean, host, err := t.resolve(path)
	if err != nil {
		return err
	}
	info, err := os.Lstat(host)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		if !info.Mode().IsRegular() {
			return nil
		}
		if *left--; *left < 0 {
			return fmt.Errorf("scan: %s: more than %d files (name the folders that matter)", path, maxFiles)
		}
		return do(clean)
	}
	if depth == 0 || clean == "/proc" || clean == "/sys" || clean == "/dev" {
		return nil
	}
	for _, name := range t.names(clean) {
		child := filepath.Join(clean, name)
		if info, err := os.Lstat(t.host(child)); err != nil || info.Mode()&fs.ModeSymlink != 0 {
			continue
		}
		if err := t.walkDepth(child, depth-1, left, do); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}
