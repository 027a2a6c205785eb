// Package language is what the languages that policies are written in have in common.
// Each language is a package below this one, and a program links only those that it
// names. Start with [NewSource] and a [Language], such as that of package language/oci.
package language

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/policy"
)

// A Language reads policies that are written in it.
type Language interface {
	// Read reads a policy for a target. It reports all problems together, as
	// [policy.Errors]. It only translates: [policy.Resolve] decides what the policy means
	// and what a mode refuses. A Reading has its warnings even if there is an error.
	Read(s *Source, t policy.Target) (Reading, error)
}

// A Reading is what reading a text gives.
type Reading struct {
	Policy   *policy.Policy // nil if there is an error
	Warnings []policy.Warning
	// Frequencies are how often calls are made, as far as the text or a file that it
	// names says so: a filter may be built for them.
	Frequencies map[string]uint64
}

// A Source is the text of one policy. It is parsed once, however many readers it has and
// places are looked up in it. Several goroutines may use it at once. Only [NewSource]
// makes one.
type Source struct {
	data  []byte
	parse func() (*document.Document, *document.Error)

	files fs.FS // where the files are that it includes; nil if there are none
	name  string
	by    *Source // the source that includes it
}

// NewSource returns the source with a text, which nobody may modify afterwards. It can
// include no files. A package of this module that translates another language into JSON
// gives the document of the text, too.
func NewSource(data []byte, translated ...*document.Document) *Source {
	if len(translated) > 0 {
		return &Source{data: data, parse: func() (*document.Document, *document.Error) { return translated[0], nil }}
	}
	return &Source{data: data, parse: sync.OnceValues(func() (*document.Document, *document.Error) { return document.Parse(data) })}
}

// In returns the same source as the content of a file. What it includes must be in files,
// too, where the file has the name.
func (s *Source) In(files fs.FS, name string) *Source {
	return &Source{data: s.data, parse: s.parse, files: files, name: path.Clean(name)}
}

// Limits on files and what they include. A policy of 4096 instructions needs no more.
const (
	maxDepth = 10
	maxFile  = 16 << 20 // bytes
)

func read(files fs.FS, name string) ([]byte, error) {
	name = path.Clean(name)
	if info, err := fs.Stat(files, name); err != nil {
		return nil, explain(err, files, name)
	} else if !info.Mode().IsRegular() { // opening a pipe could wait for ever
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s: larger than %d MiB", name, maxFile>>20)
	}
	return data, err
}

// explain returns the error of opening a file, with what to do if it is a link that leads
// out of the files.
func explain(err error, files fs.FS, name string) error {
	target, notLink := fs.ReadLink(files, name)
	switch {
	case notLink != nil || errors.Is(err, fs.ErrNotExist):
		return err
	case path.IsAbs(target):
		return fmt.Errorf("%s: an absolute link, to %s, is not followed (replace it by the file, or by a relative link)", name, target)
	}
	var reason *fs.PathError
	if errors.As(err, &reason) { // the name is there already
		err = reason.Err
	}
	return fmt.Errorf("%s: links to %s: %w (give a root that holds it)", name, target, err)
}

// Name returns the name of the source's file, "" if it has none.
func (s *Source) Name() string { return s.name }

// Include opens a file that the source includes. The name is relative to the directory of
// the source, or with a slash in front to the root of its files; it cannot lead out of
// these. The error says which files include each other in a circle, or more than 10 deep.
func (s *Source) Include(name string) (*Source, error) {
	if s.files == nil {
		return nil, fmt.Errorf("%s: only a policy in a file can include others", name)
	}
	full := s.resolve(name)
	depth := 0
	chain := full
	for by := s; by != nil; by = by.by {
		depth++
		chain = by.name + " includes " + chain
		if by.name == full {
			return nil, fmt.Errorf("%s: files that include each other: %s", name, chain)
		}
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("%s: more than %d files deep: %s", name, maxDepth, chain)
	}
	data, err := read(s.files, full)
	if err != nil {
		return nil, err
	}
	included := NewSource(data).In(s.files, full)
	included.by = s
	return included, nil
}

// Glob returns the names of the files that match a pattern, sorted by bytes, as names for
// [Source.Include]. The pattern is that of [path.Match], and relative as the names that
// Include takes. Links to /dev/null are left out: they mask a file of their name. A source
// without a file has none.
func (s *Source) Glob(pattern string) ([]string, error) {
	if s.files == nil {
		return nil, nil
	}
	names, err := fs.Glob(directories{s.files}, s.resolve(pattern))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		target, err := fs.ReadLink(s.files, name)
		return err == nil && path.Clean(target) == "/dev/null"
	})
	for i, name := range names {
		names[i] = "/" + name
	}
	slices.Sort(names)
	return names, nil
}

// directories are files of which Glob opens directories only: opening a pipe could wait for ever.
type directories struct{ fs.FS }

func (d directories) ReadDir(name string) ([]fs.DirEntry, error) {
	if info, err := d.Stat(name); err != nil || !info.IsDir() {
		return nil, err
	}
	return fs.ReadDir(d.FS, name)
}

func (d directories) Stat(name string) (fs.FileInfo, error) { return fs.Stat(d.FS, name) }

// resolve returns the name in the source's files of a name that the source gives.
func (s *Source) resolve(name string) string {
	if path.IsAbs(name) {
		return strings.TrimLeft(path.Clean(name), "/")
	}
	return path.Join(path.Dir(s.name), name)
}

// Place returns a place in the source as the Pointer of rules, problems and warnings has
// it: "LINE:COLUMN", behind "FILE:" if the source is included by another.
func (s *Source) Place(line, column int) string {
	place := strconv.Itoa(line) + ":" + strconv.Itoa(column)
	if s.by != nil {
		return s.name + ":" + place
	}
	return place
}

// Data returns the text, which must not be modified.
func (s *Source) Data() []byte { return s.data }

// JSON returns the text as a JSON document, for the readers of this module. The error
// is [policy.Errors].
func (s *Source) JSON() (*document.Document, error) {
	d, err := s.parse()
	if err != nil {
		return nil, policy.Errors{{Kind: policy.Syntax, Reason: err.Reason, Line: err.Line, Column: err.Column}}
	}
	return d, nil
}

// Position returns the 1-based line and column, in bytes, of the value that a JSON
// pointer names, or of the nearest value around it if there is no such value. For other
// languages the pointer is a place as [Source.Place] writes it. They are zero if the
// text is not JSON, or the place is in another file.
func (s *Source) Position(pointer string) (line, column int) {
	if line, column, ok := parsePlace(pointer); ok {
		return line, column
	}
	d, err := s.parse()
	for err == nil {
		line, column, ok := d.Position(pointer)
		if ok || pointer == "" {
			return line, column
		}
		pointer = pointer[:max(0, strings.LastIndexByte(pointer, '/'))]
	}
	return 0, 0
}

// parsePlace reads a place in a source that no other includes.
func parsePlace(s string) (line, column int, ok bool) {
	first, second, ok := strings.Cut(s, ":")
	if !ok || s[0] == '/' {
		return 0, 0, false
	}
	line, err1 := strconv.Atoi(first)
	column, err2 := strconv.Atoi(second)
	return line, column, err1 == nil && err2 == nil
}

// Locate fills in the lines and columns of those problems and warnings about this source
// that have a pointer and no line, as [Source.Position] does, and puts them in the order
// of the text; those without a line come last. err may be any error; problems are the
// [policy.Errors] in it.
func (s *Source) Locate(warnings []policy.Warning, err error) {
	for i := range warnings {
		if w := &warnings[i]; w.Line == 0 && w.Pointer != "" {
			w.Line, w.Column = s.Position(w.Pointer)
		}
	}
	slices.SortStableFunc(warnings, func(a, b policy.Warning) int { return inOrder(a.Line, a.Column, b.Line, b.Column) })
	switch e := err.(type) {
	case policy.Errors:
		for _, p := range e {
			if p.Line == 0 && p.Pointer != "" {
				p.Line, p.Column = s.Position(p.Pointer)
			}
		}
		slices.SortStableFunc(e, func(a, b *policy.Error) int { return inOrder(a.Line, a.Column, b.Line, b.Column) })
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			s.Locate(nil, err)
		}
	case interface{ Unwrap() error }:
		s.Locate(nil, e.Unwrap())
	}
}

// inOrder compares places; an unknown line comes last.
func inOrder(line, column, line2, column2 int) int {
	return cmp.Or(cmp.Compare(uint(line-1), uint(line2-1)), cmp.Compare(column, column2))
}
