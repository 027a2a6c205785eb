package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/seccompile/seccompile/internal/audit"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/host"
)

// A home is where a process runs: in a pod and its container by name, as far as a record
// says so, or in a container by ID.
type home struct{ Namespace, Pod, Container, ID string }

// String returns "pod default/web, container nginx" or "container 0123456789ab", "" for
// the host.
func (h home) String() string {
	pod := h.pod()
	if pod != "" {
		pod = "pod " + failure.Shown(pod)
	}
	container := h.Container
	if container == "" {
		container = h.ID[:min(12, len(h.ID))]
	}
	if container != "" {
		container = "container " + failure.Shown(container)
	}
	return strings.Join(nonempty(pod, container), ", ")
}

func (h home) pod() string { return strings.Join(nonempty(h.Namespace, h.Pod), "/") }

// is reports whether this is the home of a name: of a container or pod, or the beginning
// of an ID.
func (h home) is(name string) bool {
	return name == h.Container || name == h.Pod || name == h.pod() || strings.HasPrefix(h.ID, name)
}

// homes finds the containers of processes while they live.
type homes struct {
	known map[resident]string // IDs
	boot  time.Time           // zero if it is unknown
}

// A resident is a process, as well as a record tells it from others of the same number.
type resident struct {
	pid       int
	exe, comm string
}

// maxResidents bounds the memory for processes.
const maxResidents = 4096

// of returns the home of a record's process. The record itself knows best.
func (h *homes) of(rec *audit.Record) home {
	if rec.Container != "" || rec.Pod != "" {
		return home{Namespace: rec.Namespace, Pod: rec.Pod, Container: rec.Container}
	}
	who := resident{rec.PID, rec.Exe, rec.Comm}
	id, known := h.known[who]
	if !known {
		if len(h.known) >= maxResidents || h.known == nil {
			h.known, h.boot = make(map[resident]string), bootTime()
		}
		if h.alive(rec) {
			id = host.PlaceOf(readProc(rec.PID, "cgroup")).ID
		}
		h.known[who] = id
	}
	return home{ID: id}
}

// alive reports whether the process of a record is the one that has its number now: it
// started before the record and is the same program. The log may be of another machine.
func (h *homes) alive(rec *audit.Record) bool {
	if rec.PID == 0 || h.boot.IsZero() {
		return false
	}
	if started, ok := startTime(readProc(rec.PID, "stat")); !ok || !rec.Time.IsZero() && h.boot.Add(started).After(rec.Time.Add(time.Second)) {
		return false
	}
	if exe, err := os.Readlink(procFile(rec.PID, "exe")); err == nil && rec.Exe != "" && rec.Exe == exe {
		return true
	}
	return rec.Comm != "" && strings.TrimSuffix(readProc(rec.PID, "comm"), "\n") == rec.Comm
}

func procFile(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}

// readProc returns a file about a process, "" if it is gone.
func readProc(pid int, name string) string {
	b, _ := os.ReadFile(procFile(pid, name))
	return string(b)
}

// bootTime returns when the kernel started, to the second (proc(5): btime).
func bootTime() time.Time {
	b, _ := os.ReadFile("/proc/stat")
	for line := range strings.Lines(string(b)) {
		if s, ok := strings.CutPrefix(line, "btime "); ok {
			if sec, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64); err == nil {
				return time.Unix(sec, 0)
			}
		}
	}
	return time.Time{}
}

// startTime reads from a process's stat how long after the boot it started. The name of
// the program, in parentheses, may contain anything.
func startTime(stat string) (time.Duration, bool) {
	const field, perSecond = 22, 100 // proc(5): starttime; the unit is USER_HZ
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= field-3 {
		return 0, false
	}
	ticks, err := strconv.ParseInt(fields[field-3], 10, 64)
	return time.Duration(ticks) * time.Second / perSecond, err == nil
}
