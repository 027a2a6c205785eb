package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
)

// tarball returns a .tar.gz of files in one directory: sorted, owned by root, all of one
// time, so that the same files are the same bytes.
func tarball(dir string, files []file, when time.Time) ([]byte, error) {
	files = slices.SortedFunc(slices.Values(files), func(a, b file) int { return strings.Compare(a.name, b.name) })
	return compress(gzip.DefaultCompression, func(w io.Writer) error { // the best is half a percent smaller, and three times slower
		t := tar.NewWriter(w)
		for _, f := range files {
			h := &tar.Header{
				Typeflag: tar.TypeReg, Name: dir + "/" + f.name, Size: int64(len(f.data)), Mode: int64(f.mode),
				Uname: "root", Gname: "root", ModTime: when, Format: tar.FormatUSTAR,
			}
			if err := t.WriteHeader(h); err != nil {
				return err
			}
			if _, err := t.Write(f.data); err != nil {
				return err
			}
		}
		return t.Close()
	})
}

// compress returns what a function writes, as gzip: without a name and a time.
func compress(level int, write func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(write(z), z.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
