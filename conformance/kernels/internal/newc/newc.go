// Package newc writes cpio archives in the format that the kernel unpacks as its
// first file system (Documentation/driver-api/early-userspace/buffer-format.rst).
package newc

import (
	"fmt"
	"io"
)

// File types and permissions of an entry's Mode (linux/stat.h).
const (
	Regular   = 0o100000
	Directory = 0o040000
	Character = 0o020000
)

// An Entry is a file of an archive, owned by root and of no age.
type Entry struct {
	Name string // without a leading slash
	Mode uint32
	// Major and Minor name the device of a Character entry.
	Major, Minor uint32
	Data         []byte
}

// Write writes an archive. Directories come before what is in them.
func Write(w io.Writer, entries []Entry) error {
	for i, e := range append(entries[:len(entries):len(entries)], Entry{Name: "TRAILER!!!"}) {
		if err := write(w, i+1, e); err != nil {
			return err
		}
	}
	return nil
}

func write(w io.Writer, inode int, e Entry) error {
	const headerSize = 110
	name := e.Name + "\x00"
	fields := []uint32{
		uint32(inode), e.Mode, 0, 0, 1, 0, uint32(len(e.Data)), // inode, mode, uid, gid, links, mtime, size
		0, 0, e.Major, e.Minor, uint32(len(name)), 0, // device, special device, name, checksum
	}
	header := "070701"
	for _, f := range fields {
		header += fmt.Sprintf("%08X", f)
	}
	for _, part := range []string{header + name, string(padding(headerSize + len(name))), string(e.Data), string(padding(len(e.Data)))} {
		if _, err := io.WriteString(w, part); err != nil {
			return err
		}
	}
	return nil
}

// padding fills n bytes up to a multiple of four.
func padding(n int) []byte { return make([]byte, -n&3) }
