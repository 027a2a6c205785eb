package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/agent"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// recordAgent records the containers that runtimes hand over, each to a file of its own.
func (a *app) recordAgent(r *recordRun, args []string) error {
	folder := r.path
	r.path = "" // does not name a profile to add to
	if err := cmp.Or(r.agent.check("record", args), a.readDocker(r), a.readBase(r)); err != nil {
		return err
	}
	if r.frequencies != "" {
		return failure.Usagef("record: --agent and --frequencies exclude each other: an agent does not see calls that it need not answer")
	}
	if r.agent.profile {
		if sameFile(folder, r.base) {
			return failure.Usagef("record: -o would overwrite %s, which --base reads", failure.Shown(folder)).Hintf("name another file with -o")
		}
		return a.putRecordProfile(r, folder)
	}
	if folder == "" || folder == "-" {
		return failure.Usagef("record: --agent needs -o FOLDER, for the profile of each container")
	}
	if err := r.start(); err != nil { // as it would for each container
		return err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return unwritable(folder, err)
	}
	return a.serve("record", r.agent.socket, func(name string, pid int) (agent.Session, error) {
		s := &recordSession{recordRun: *r, stdout: a.stdout, folder: folder, name: name}
		s.app, s.output = a.within(name)
		s.progress = &progress{app: s.app, since: time.Now()}
		s.app.note("record: recording, process %d", pid)
		return s, s.startUnasked()
	})
}

// putRecordProfile writes the profile that has an agent see every call but those that the
// recording has from the start. What has no name gets ENOSYS: a recording cannot allow it,
// and programs take it as the answer of an older kernel.
func (a *app) putRecordProfile(r *recordRun, path string) error {
	if err := r.startUnasked(); err != nil {
		return err
	}
	res, err := r.recording.Profile()
	if err != nil {
		return err
	}
	var reading policy.Options
	if r.from != nil {
		reading = r.from.Options
	}
	resolved, _, err := policy.Resolve(res.Policy, reading)
	if err != nil {
		return err
	}
	enosys, _ := arch.Native().Errno("ENOSYS")
	p, err := agentProfile(resolved, arch.Native().Family(), cbpf.Errno(enosys), r.agent.socket)
	if err != nil {
		return err
	}
	return a.putPolicy(path, p)
}

// startUnasked makes the recording, with the calls in it that no agent sees.
func (r *recordRun) startUnasked() error {
	if err := r.start(); err != nil {
		return err
	}
	for _, name := range unasked() {
		call, _ := syscalltables.Lookup(name)
		if nr, ok := call.Number(arch.Native()); ok {
			r.recording.Add(&cbpf.Data{Arch: arch.Native().Audit(), NR: nr})
		}
	}
	return nil
}

// A recordSession records one container.
type recordSession struct {
	recordRun
	app          *app
	output       *bytes.Buffer
	stdout       io.Writer // the agent's
	folder, name string
}

// Handle implements agent.Session. What has no name gets ENOSYS, as from the profile of
// putRecordProfile: who makes up numbers cannot make a recording grow.
func (s *recordSession) Handle(n *loader.Notification) error {
	if policy.Names().Syscall(n.Data.Arch, n.Data.NR) == "" {
		return watch.Enforce(n, cbpf.Notify)
	}
	return s.handle(n)
}

// End implements agent.Session: it writes the container's profile.
func (s *recordSession) End() {
	if err := s.app.writeRecording(&s.recordRun); err != nil {
		s.app.report(nil, err)
	}
	if s.output.Len() == 0 {
		return
	}
	path, err := create(s.folder, s.name, s.output.Bytes())
	if err != nil {
		s.app.stdout = s.stdout
		s.app.report(nil, s.app.rescue(s.name+".json", s.output.Bytes(), err, s.folder, os.TempDir()))
		return
	}
	s.app.note("record: %s; the profile is in %s", s.progress, failure.Shown(path))
}

// maxAlike bounds the profiles of containers with the same name.
const maxAlike = 1000

// create writes a container's profile to a file of its own: NAME.json, or with a number if
// that has another profile.
func create(folder, name string, profile []byte) (path string, err error) {
	for i := range maxAlike {
		path = filepath.Join(folder, name+".json")
		if i > 0 {
			path = filepath.Join(folder, fmt.Sprintf("%s-%d.json", name, i+1))
		}
		err = writeTo(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666, profile)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(profile)) {
			continue
		}
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, profile) {
			return path, nil
		}
	}
	if err != nil {
		return "", unwritable(path, err)
	}
	return path, nil
}
