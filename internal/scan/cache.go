package scan

import (
	"cmp"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
)

// A cache keeps what reading the code of files gave, which takes most of the time of a scan. An
// entry belongs to the content of a file, not to the build-id that it claims, and to the
// program that wrote the entry. What cannot be read counts as missing, and is replaced.
// Several processes may use one cache: entries appear as a whole. The nil cache keeps nothing.
type cache struct {
	dir string
	err error // the first of writing an entry
}

// maxEntry bounds what is read of an entry.
const maxEntry = 256 << 20

// newCache returns the cache in a folder; none if dir is "" or nobody can tell which analysis
// the entries of this program come from.
func newCache(dir string) *cache {
	if dir == "" {
		return nil
	}
	id := analysis()
	if id == "" {
		return nil
	}
	return &cache{dir: filepath.Join(dir, id)}
}

// analysis identifies the running program, and with it what it finds.
func analysis() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	h := sha256.New()
	if build, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintln(h, build)
	}
	id := goBuildID(path)
	if id == "" { // stripped of it
		id = info.ModTime().String()
	}
	fmt.Fprintln(h, info.Size(), id)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// goBuildID returns the note of an executable that go build writes, which depends on all that
// the executable is made from.
func goBuildID(path string) string {
	f, err := elf.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	s := f.Section(".note.go.buildid")
	if s == nil || s.Size > 1<<12 {
		return ""
	}
	note, err := s.Data()
	if err != nil {
		return ""
	}
	return string(note)
}

func (c *cache) path(content []byte) string {
	sum := sha256.Sum256(content)
	return filepath.Join(c.dir, hex.EncodeToString(sum[:]))
}

// load returns the code of a file with some content, whose functions it divides as reading the
// code did; nil without an entry.
func (c *cache) load(f *object.File, content []byte) *code.Module {
	if c == nil {
		return nil
	}
	path := c.path(content)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxEntry {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	bounds, funcs, err := decodeEntry(data)
	if err != nil {
		return nil
	}
	names := make(map[uint64]string)
	for _, fn := range f.Funcs {
		names[fn.Addr] = fn.Name
	}
	for i := range bounds {
		bounds[i].Name = names[bounds[i].Addr]
	}
	f.Funcs = bounds
	return &code.Module{File: f, Funcs: funcs}
}

// store keeps the code of a file. If that is not possible, the next scan reads it again.
func (c *cache) store(content []byte, m *code.Module) {
	if c == nil {
		return
	}
	if err := c.write(c.path(content), encodeEntry(m)); err != nil && c.err == nil {
		c.err = fmt.Errorf("scan: the cache: %w", err)
	}
}

// write puts an entry in its place.
func (c *cache) write(path string, entry []byte) error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.dir, ".part-*")
	if err != nil {
		return err
	}
	_, err = f.Write(entry)
	err = cmp.Or(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// failure returns why entries were not kept, nil if all were.
func (c *cache) failure() error {
	if c == nil {
		return nil
	}
	return c.err
}
