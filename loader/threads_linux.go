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
	status := taskDir + "/" + strconv.Itoa(tid) + "/status"
	mode, _ = strconv.Atoi(procField(status, "Seccomp"))
	filters, _ = strconv.Atoi(procField(status, "Seccomp_filters"))
	return mode, filters
}

// procField returns a field of a file of /proc that has one in each line, as in
// "Seccomp:\t2", and "" if there is none.
func procField(path, name string) string {
	_, rest, _ := strings.Cut("\n"+string(readProcFile(path)), "\n"+name+":")
	value, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(value)
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

// withFile opens a file of /proc to read, if it can, for the time of a call. An
// earlier filter may answer 0 in the kernel's place. As a descriptor, 0 is some
// other file; as the answer of fstatfs(2) it leaves the type unset.
func withFile(path string, read func(fd int)) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil || fd == 0 {
		return
	}
	defer unix.Close(fd)
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err == nil && uint32(fs.Type) == unix.PROC_SUPER_MAGIC {
		read(fd)
	}
}
