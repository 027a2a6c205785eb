package oci_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/internal/reexec"
)

// The main goroutine keeps the main thread, so that every other thread ends with
// the goroutine that is locked to it.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func() error{
		"install":               install,
		"silent":                silent,
		"hand over":             handOver,
		"full":                  receiveWhenFull,
		"docker":                installDocker,
		"cache":                 writeCache,
		"die in cache":          dieInCache,
		"cache on a small disk": smallDisk,
	})
}

// mayInstall prepares this thread for a filter: it sets no_new_privs if only that
// makes it allowed.
func mayInstall() error {
	if os.Getuid() == 0 {
		return nil
	}
	return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}

// status returns a field of this thread's /proc status.
func status(field string) string {
	b, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(b)) {
		if key, value, _ := strings.Cut(line, ":"); key == field {
			return strings.TrimSpace(value)
		}
	}
	return fmt.Sprintf("no field %s", field)
}
