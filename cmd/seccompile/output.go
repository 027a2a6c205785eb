package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/answer"
)

// An output is the flag -o: where the data of a command goes.
type output struct{ path string }

func (o *output) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.path, "output", "o", "", "write `FILE` atomically (- is standard output)")
	annotate(cmd, "output", writesFile)
}

// explicit reports whether the user chose the place, even if it is standard output.
func (o *output) explicit() bool { return o.path != "" }

// put writes data, as it is, to the place that -o names, else to standard output.
func (a *app) put(o *output, data []byte) error {
	if o.path == "" || o.path == "-" {
		if err := a.flush(); err != nil {
			return err
		}
		_, err := a.stdout.Write(data)
		return err
	}
	if err := writeFile(o.path, data); err != nil {
		return unwritable(o.path, err)
	}
	return nil
}

// writeFile replaces a file by a finished one, so that no reader sees half of it and
// an error leaves what was there. Things that are not files, such as /dev/stdout
// and pipes, are written to.
func writeFile(path string, data []byte) error {
	for _, open := range []string{"/dev/fd/", "/dev/std", "/proc/"} { // links to files that are open
		if strings.HasPrefix(path, open) {
			return writeTo(path, os.O_WRONLY|os.O_TRUNC, 0, data)
		}
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	mode := fs.FileMode(0o666) // and the umask
	replaces := false
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return errors.New("is a directory")
	case err == nil && !info.Mode().IsRegular():
		return writeTo(path, os.O_WRONLY, 0, data)
	case err == nil:
		mode, replaces = info.Mode().Perm(), true
	}
	part := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d.part", filepath.Base(path), os.Getpid()))
	err := writeTo(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode, data)
	if err == nil && replaces {
		err = os.Chmod(part, mode) // the umask is for new files
	}
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		os.Remove(part)
	}
	return err
}

func writeTo(path string, flag int, mode fs.FileMode, data []byte) error {
	f, err := os.OpenFile(path, flag, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil && flag&os.O_EXCL != 0 {
		_ = os.Remove(path) // nobody had it before
	}
	return err
}

// putJSON writes a document to the place that -o names, else to standard output.
func (a *app) putJSON(o *output, doc any) error {
	data, err := answer.Marshal(doc)
	if err != nil {
		return err
	}
	return a.put(o, data)
}

// addJSON adds the flag that asks for a document instead of text.
func addJSON(cmd *cobra.Command, on *bool) {
	cmd.Flags().BoolVar(on, "json", false, "write machine-readable JSON")
}

// A table is rows of cells that print in columns. Cells may be painted: widths
// are those of the plain text.
type table struct{ rows [][]cell }

// A cell is a text and the way to paint it, nil for plain.
type cell struct {
	text  string
	paint func(string) string
}

func (t *table) row(cells ...cell) { t.rows = append(t.rows, cells) }

// plain makes cells of texts.
func plain(texts ...string) []cell {
	var cells []cell
	for _, s := range texts {
		cells = append(cells, cell{text: s})
	}
	return cells
}

// print writes the columns, two spaces apart, without trailing spaces.
func (t *table) print(w *bufio.Writer) {
	var widths []int
	for _, r := range t.rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(c.text))
		}
	}
	for _, r := range t.rows {
		gap := 0
		for i, c := range r {
			if c.text != "" {
				text := c.text
				if c.paint != nil {
					text = c.paint(text)
				}
				io.WriteString(w, strings.Repeat(" ", gap)+text)
				gap = 0
			}
			gap += widths[i] - len(c.text) + 2
		}
		w.WriteByte('\n')
	}
}

func nonempty(words ...string) []string {
	return slices.DeleteFunc(words, func(s string) bool { return s == "" })
}
