package scan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
)

// A contents holds those of the files that a scan reads. Where the system can, they are
// mapped: a large program has half a gigabyte of libraries, most of whose code is looked at
// once. Mapped contents change with the file, so that a scan during which one changed fails.
type contents struct {
	tree
	open []opened
}

// An opened is a file whose contents are in use.
type opened struct {
	path, host string
	info       fs.FileInfo
	data       []byte
	mapped     bool
}

// read returns what is in a regular file, until close.
func (f *contents) read(path string) ([]byte, error) {
	file, host, info, err := f.regular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info.Size() > maxFile {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("is larger than 1 GiB")}
	}
	o := opened{path: path, host: host, info: info}
	if o.data, o.mapped = mapFile(file, info.Size()); !o.mapped {
		if o.data, err = readAll(file, info.Size()); err != nil {
			return nil, err
		}
	}
	f.open = append(f.open, o)
	return o.data, nil
}

// rest gives back the memory of files, now that all of them was looked at: the system reads
// again what is asked for again.
func rest(files []opened) {
	for _, o := range files {
		if o.mapped {
			unload(o.data)
		}
	}
}

// guard calls do, and fails if a file changed meanwhile or its contents could not be read.
func (f *contents) guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer f.close()
	defer func() {
		problem := recover()
		switch changed := f.changed(); {
		case changed != nil: // whatever came of it
			err = changed
		case isFault(problem):
			err = fmt.Errorf("scan: a file cannot be read any more: %v", problem)
		case problem != nil:
			panic(problem)
		}
	}()
	return do()
}

// isFault reports whether a panic is that of reading memory that is not there.
func isFault(problem any) bool {
	_, ok := problem.(interface{ Addr() uintptr }) // see debug.SetPanicOnFault
	return ok
}

// changed returns an error if a mapped file was changed since.
func (f *contents) changed() error {
	for _, o := range f.open {
		info, err := os.Stat(o.host)
		if !o.mapped || err != nil || !os.SameFile(info, o.info) {
			continue // a mapping is of the file that was there
		}
		if info.Size() != o.info.Size() || !info.ModTime().Equal(o.info.ModTime()) {
			return fmt.Errorf("scan: %s: changed while it was read: scan again", o.path)
		}
	}
	return nil
}

// close gives back all contents.
func (f *contents) close() {
	for _, o := range f.open {
		if o.mapped {
			unmap(o.data)
		}
	}
	f.open = nil
}
