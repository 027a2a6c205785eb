package loader

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// divergedThread looks for the thread that kept the filter from all threads and
// returns its id, or 0 if it is not clear which one that is. The kernel would
// tell when asked for TSYNC alone, but that might install the filter, and without
// its listener.
func divergedThread() int {
	own := unix.Gettid()
	_, ours := confinement(own)
	var suspects []int
	for _, tid := range threads() {
		if tid == own {
			continue
		}
		switch mode, filters := confinement(tid); {
		case mode == unix.SECCOMP_MODE_STRICT, filters > ours:
			return tid
		case mode == unix.SECCOMP_MODE_FILTER:
			// It may have our filters, or others.
			suspects = append(suspects, tid)
		}
	}
	if len(suspects) == 1 {
		return suspects[0]
	}
	return 0
}

// taskDir has a directory for each thread. It is read without package os, whose
// files and directories would make the smallest programs a tenth larger.
const taskDir = "/proc/self/task"

// threads returns the ids of this process's threads, none if /proc does not tell.
func threads() []int {
	var names []string
	buf := make([]byte, 4096)
	withFile(taskDir, func(fd int) {
		for {
			n, err := unix.ReadDirent(fd, buf)
			if err != nil || n <= 0 {
				return
			}
			_, _, names = unix.ParseDirent(buf[:n], -1, names)
		}
	})
	var tids []int
	for _, name := range names {
		if tid, err := strconv.Atoi(name); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids
}

// confinement returns a thread's seccomp mode and its number of filters, zeros if
// /proc does not tell; it tells the number since Linux 5.9.
func confinement(tid int) (mode, filters int) {
	status := readProcFile(taskDir + "/" + strconv.Itoa(tid) + "/status")
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		n, _ := strconv.Atoi(strings.TrimSpace(value))
		switch key {
		case "Seccomp":
			mode = n
		case "Seccomp_filters":
			filters = n
		}
	}
	return mode, filters
}

// readProcFile returns the content of a file of /proc, or as much as can be read.
func readProcFile(path string) []byte {
	var content []byte
	buf := make([]byte, 4096)
	withFile(path, func(fd int) {
		for {
			n, err := unix.Read(fd, buf)
			if err != nil || n <= 0 {
				return
			}
			content = append(content, buf[:n]...)
		}
	})
	return content
}

// withFile opens path to read, if it can, for the time of a call.
func withFile(path string, read func(fd int)) {
	if fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
		read(fd)
		_ = unix.Close(fd)
	}
}
