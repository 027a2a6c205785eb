package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/internal/failure"
)

// lockFile keeps others that call it from the file until unlock is called. It locks the
// folder: files are replaced. A folder that cannot be locked, as on some network file
// systems, is not; one that another process does not give back for as long as patience
// lasts is an error.
func lockFile(path string, patience time.Duration) (unlock func(), err error) {
	unlock = func() {}
	if info, err := os.Stat(path); path == "" || path == "-" || err == nil && !info.Mode().IsRegular() {
		return unlock, nil
	}
	real := path
	if target, err := filepath.EvalSymlinks(path); err == nil {
		real = target
	}
	folder, err := os.Open(filepath.Dir(real))
	if err != nil {
		return unlock, nil // writing says why
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if err = unix.Flock(int(folder.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
			return func() { _ = folder.Close() }, nil
		}
		if time.Now().After(end) {
			_ = folder.Close()
			return unlock, fmt.Errorf("%s: another program has kept its folder locked for %v", failure.Shown(path), patience)
		}
	}
}
