package page

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// What a reader waits for, compressed as servers send it.
const (
	maxSite = 3_500_000 // bytes of all files of the directory
	maxFile = 4_800_000 // bytes of the one file
)

// A Size is that of a file or of a directory, and of what it may have.
type Size struct {
	Name              string
	Plain, Compressed int
	Limit             int // of Compressed, 0 for none
}

// sizes measures both forms of the page.
func sizes(dist string) ([]Size, error) {
	var list []Size
	site := Size{Name: "site", Limit: maxSite}
	err := eachFile(filepath.Join(dist, "site"), func(name string, data []byte) error {
		s := Size{Name: "site/" + filepath.ToSlash(name), Plain: len(data), Compressed: len(compress(data))}
		site.Plain, site.Compressed = site.Plain+s.Plain, site.Compressed+s.Compressed
		list = append(list, s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	one, err := os.ReadFile(filepath.Join(dist, "seccompile.html"))
	if err != nil {
		return nil, err
	}
	return append(list, site, Size{"seccompile.html", len(one), len(compress(one)), maxFile}), nil
}

// Judge prints sizes, and fails if one is beyond its limit.
func Judge(w io.Writer, sizes []Size) error {
	var errs []error
	for _, s := range sizes {
		limit := ""
		if s.Limit != 0 {
			limit = fmt.Sprintf(" of %d", s.Limit)
		}
		fmt.Fprintf(w, "%10d bytes, %8d compressed%s: %s\n", s.Plain, s.Compressed, limit, s.Name)
		if s.Limit != 0 && s.Compressed > s.Limit {
			errs = append(errs, fmt.Errorf("page: %s: %d bytes compressed, %d more than its budget: see what grew (go tool nm -size web/dist/engine/engine.wasm, or the sizes above)",
				s.Name, s.Compressed, s.Compressed-s.Limit))
		}
	}
	return errors.Join(errs...)
}

// eachFile calls f for the files of a directory, sorted, with their names in it.
func eachFile(dir string, f func(name string, data []byte) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return f(name, data)
	})
}
