package oci

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The directory is opened once and checked; files are opened relative to it and
// never through a symbolic link. If a signal interrupts a call, as it can on a network
// file system, the cache fails that once.

// nextEntry is the file that the next entry is written to. Only the process that has it
// locked writes to it, renames it and makes room. A writer that is killed leaves no lock
// and no other file; the next writer uses this one.
const nextEntry = "next"

// touchAfter is how old the time of an entry must be for a use to renew it.
const touchAfter = time.Hour

// A cacheDir is the descriptor of an open cache directory.
type cacheDir int

func (c *Cache) open() (cacheDir, error) {
	fd, err := unix.Open(c.Dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		return -1, fmt.Errorf("%w: open: %w", ErrUntrusted, err)
	case err != nil:
		return -1, fmt.Errorf("open: %w", err)
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil {
		err = trusted(&st)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return cacheDir(fd), nil
}

// openOrMake is open for writers.
func (c *Cache) openOrMake() (cacheDir, error) {
	d, err := c.open()
	if !errors.Is(err, unix.ENOENT) {
		return d, err
	}
	if err := unix.Mkdir(c.Dir, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
		return -1, fmt.Errorf("mkdir: %w", err)
	}
	return c.open()
}

func (d cacheDir) close() { unix.Close(int(d)) }

// openFile opens a file of the directory and returns what it is.
func (d cacheDir) openFile(name string, flags int) (fd int, st unix.Stat_t, err error) {
	// O_NONBLOCK: nobody waits for the other end of a pipe.
	fd, err = unix.Openat(int(d), name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
	switch {
	case errors.Is(err, unix.ELOOP):
		return -1, st, fmt.Errorf("%s: %w: a symbolic link", name, ErrUntrusted)
	case errors.Is(err, unix.ENXIO): // a pipe or a socket that nobody has open
		return -1, st, fmt.Errorf("%s: %w: not a regular file", name, ErrUntrusted)
	case err != nil:
		return -1, st, fmt.Errorf("%s: open: %w", name, err)
	}
	if err = unix.Fstat(fd, &st); err == nil {
		err = trusted(&st)
	}
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = fmt.Errorf("%w: not a regular file", ErrUntrusted)
	}
	if err != nil {
		unix.Close(fd)
		return -1, st, fmt.Errorf("%s: %w", name, err)
	}
	return fd, st, nil
}

// trusted returns an error if anybody but this user and root may write.
func trusted(st *unix.Stat_t) error {
	me := os.Geteuid()
	switch {
	case st.Uid != 0 && int(st.Uid) != me:
		return fmt.Errorf("%w: it belongs to user %d, and this is user %d", ErrUntrusted, st.Uid, me)
	case st.Mode&0o022 != 0:
		return fmt.Errorf("%w: its mode %04o lets others write (chmod go-w)", ErrUntrusted, st.Mode&0o7777)
	}
	return nil
}

// read returns what the entry's file holds, nil if there is none.
func (c *Cache) read(name string) ([]byte, error) {
	d, err := c.open()
	if errors.Is(err, unix.ENOENT) {
		return nil, nil // the first writer makes it
	}
	if err != nil {
		return nil, err
	}
	defer d.close()
	fd, st, err := d.openFile(name, unix.O_RDONLY)
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil, nil
	case errors.Is(err, ErrUntrusted):
		return nil, errors.Join(err, d.remove(name))
	case err != nil:
		return nil, err
	}
	defer unix.Close(fd)
	data := make([]byte, min(st.Size, maxEntry)) // decoding refuses what is cut short
	n := 0
	for n < len(data) {
		more, err := unix.Read(fd, data[n:])
		if err != nil {
			return nil, fmt.Errorf("%s: read: %w", name, err)
		}
		if more == 0 {
			break
		}
		n += more
	}
	if time.Since(time.Unix(st.Mtim.Unix())) > touchAfter {
		now := []unix.Timespec{{Nsec: unix.UTIME_NOW}, {Nsec: unix.UTIME_NOW}}
		_ = unix.UtimesNanoAt(int(d), name, now, unix.AT_SYMLINK_NOFOLLOW) // the cache may be read-only
	}
	return data[:n], nil
}

// remove removes an entry.
func (c *Cache) remove(name string) error {
	d, err := c.open()
	if err != nil {
		return err
	}
	defer d.close()
	return d.remove(name)
}

func (d cacheDir) remove(name string) error {
	if err := unix.Unlinkat(int(d), name, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%s: unlink: %w", name, err)
	}
	return nil
}

// write makes an entry, unless there is one or another process is writing one now.
func (c *Cache) write(name string, data []byte) error {
	d, err := c.openOrMake()
	if err != nil {
		return err
	}
	defer d.close()
	fd, st, err := d.openFile(nextEntry, unix.O_WRONLY|unix.O_CREAT)
	if errors.Is(err, ErrUntrusted) {
		return errors.Join(err, d.remove(nextEntry)) // no writer can be using it
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd) // and unlocks
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil
		}
		return fmt.Errorf("%s: flock: %w", nextEntry, err)
	}
	// Between open and flock another writer may have made an entry of the file.
	var now unix.Stat_t
	if err := unix.Fstatat(int(d), nextEntry, &now, unix.AT_SYMLINK_NOFOLLOW); err != nil || now.Ino != st.Ino {
		return nil
	}
	names, err := d.entries()
	if err != nil || slices.Contains(names, name) {
		return err
	}
	if err := d.makeRoom(names, cmp.Or(c.Entries, defaultEntries)); err != nil {
		return err
	}
	err = fill(fd, data)
	if err == nil {
		err = unix.Renameat(int(d), nextEntry, int(d), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", nextEntry, err), d.remove(nextEntry))
	}
	return nil
}

// fill makes data the content of a file.
func fill(fd int, data []byte) error {
	if err := unix.Ftruncate(fd, 0); err != nil {
		return err
	}
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// entries returns the names of all entries.
func (d cacheDir) entries() ([]string, error) {
	fd, err := unix.Openat(int(d), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	f := os.NewFile(uintptr(fd), ".")
	defer f.Close()
	names, err := f.Readdirnames(-1)
	return slices.DeleteFunc(names, func(name string) bool {
		return len(name) != sha256.Size*2 || strings.Trim(name, "0123456789abcdef") != ""
	}), err
}

// makeRoom removes the quarter of the entries that have not been used for longest, if
// the cache is full. It removes so many because looking at all of them takes longer than
// compiling a profile.
func (d cacheDir) makeRoom(names []string, most int) error {
	if most < 1 {
		return fmt.Errorf("no room for %d entries (0 means %d)", most, defaultEntries)
	}
	if len(names) < most {
		return nil
	}
	type entry struct {
		name string
		used time.Time
	}
	var entries []entry
	for _, name := range names {
		var st unix.Stat_t
		if err := unix.Fstatat(int(d), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			continue // a reader has removed it
		}
		entries = append(entries, entry{name, time.Unix(st.Mtim.Unix())})
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.name, b.name)) })
	for _, e := range entries[:max(0, len(entries)-min(most-1, most*3/4))] {
		if err := d.remove(e.name); err != nil {
			return err
		}
	}
	return nil
}
