package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/record"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/proof"
)

// lockPatience is how long a recording waits for others that write to the same folder.
const lockPatience = 10 * time.Second

// writeRecording writes the profile and reports what to know about it.
func (a *app) writeRecording(r *recordRun) error {
	unlock, changed := lockFile(r.path, lockPatience)
	defer unlock()
	if changed == nil {
		changed = a.catchUp(r)
	}
	res, err := r.recording.Profile()
	if err != nil {
		return fmt.Errorf("record: cannot add the recorded calls to the profile: %w", err)
	}
	a.warnRecorded(r, res)
	text, err := a.text(r, res.Policy)
	if err != nil {
		profile, err2 := ocijson.Print(res.Policy)
		if err2 != nil {
			return err
		}
		return a.rescue(r.path, []byte(profile), err, filepath.Dir(r.path), os.TempDir())
	}
	if err := a.putOrRescue(&r.output, text, changed); err != nil {
		return err
	}
	return a.noteBeyond(r, res.Policy)
}

// catchUp makes the recording one on top of the profile that is in the file now, if that
// has changed since the start. The error says why this is not possible.
func (a *app) catchUp(r *recordRun) error {
	data, err := readIfFile(r.path)
	if err != nil || len(data) == 0 || bytes.Equal(data, r.before) {
		return err
	}
	in := intake.New(r.path, failure.Shown(r.path), data)
	if err := extendable(in); err != nil {
		return err
	}
	now, err := r.compile(in)
	if err != nil {
		return err
	}
	if err := runnable("record", now); err != nil {
		return err
	}
	onto, err := r.recording.Onto(now.Policy, now.Options)
	if err != nil {
		return in.No(err)
	}
	lost, err := proof.Diff(proof.Policy(r.recording.Base()), proof.Policy(onto.Base()), proof.Limits{})
	if err != nil {
		return in.No(err)
	}
	for _, c := range lost {
		if c.From.Permits(cbpf.Alone) && !c.To.Permits(cbpf.Alone) {
			return failure.Usagef("record: %s has changed and no longer allows all that it did at the start, so record cannot add to it", in.Name)
		}
	}
	a.note("record: %s has changed since the start, so record adds to what is there now", in.Name)
	r.from, r.recording = now, onto
	return nil
}

// readIfFile returns what is in a file, nothing if there is none or it is not a regular one.
func readIfFile(path string) ([]byte, error) {
	if path == "-" {
		return nil, nil
	}
	if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	data, err := readFile(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	return data, nil
}

// putOrRescue writes what was recorded: to the place that is meant for it, unless changed is
// an error. If it cannot, the error says where else the data is.
func (a *app) putOrRescue(o *output, data []byte, changed error) error {
	if changed != nil {
		return a.rescue(o.path, data, changed, filepath.Dir(o.path), os.TempDir())
	}
	err := a.put(o, data)
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return err
	}
	return a.rescue(o.path, data, err, os.TempDir()) // the folder may be full, or a device's
}

// rescue saves what was recorded, which may be impossible to record again, in a new file in
// the first folder that takes it, else on standard output. It adds to the reason where the
// data is.
func (a *app) rescue(path string, data []byte, reason error, folders ...string) error {
	f := &failure.Error{Status: failure.Usage, Err: reason}
	errors.As(reason, &f)
	for _, folder := range folders {
		if saved, err := saveIn(folder, filepath.Base(path), data); err == nil {
			return (&failure.Error{Status: f.Status, Err: f.Err}).Hintf("what was recorded is in %s", failure.Shown(saved))
		}
	}
	if err := a.put(new(output), data); err != nil {
		return reason
	}
	return (&failure.Error{Status: f.Status, Err: f.Err}).Hintf("what was recorded is on standard output")
}

// saveIn writes data to a new file in a folder, with a name that resembles another.
func saveIn(folder, like string, data []byte) (path string, err error) {
	if like == "-" || like == "." {
		like = "record.json" // of standard output
	}
	ext := filepath.Ext(like)
	f, err := os.CreateTemp(folder, strings.TrimSuffix(like, ext)+"-*"+ext)
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
	}
	return f.Name(), err
}

// warnRecorded says what to know about a recording.
func (a *app) warnRecorded(r *recordRun, res *record.Result) {
	if r.listens {
		a.warnf("record: a process tried to install a filter with a listener and got EBUSY, because recording uses the only listener: record the program without its own")
	}
	for _, c := range res.Unnamed {
		a.warnf("record: no profile can allow number %s, which was called %s: it has no name", numberOf(&c.First), times(c.Count))
	}
	for _, c := range res.Denied {
		a.warnf("record: a rule of the profile still denies %s, which was called %s", c.Name(), times(c.Count))
	}
	for _, name := range res.Needed {
		a.warnf("record: a rule of the profile denies %s, which the container runtimes of %s need", name, r.consumer)
	}
	for _, c := range res.Open {
		a.warnf("record: %s was called with too many different values, so some arguments stay unrestricted", c.Name())
	}
	switch {
	case r.from == nil:
	case len(res.Added) == 0 && len(res.ABIs) == 0:
		a.note("record: nothing to add: the profile already allows everything that the program did")
	default:
		a.note("record: added %s", strings.Join(added(res), ", "))
	}
}

// added names what a recording added to a profile.
func added(res *record.Result) []string {
	var list []string
	for _, abi := range res.ABIs {
		list = append(list, abi.OCI())
	}
	for _, rule := range res.Added {
		for _, name := range rule.Names {
			if len(rule.Args) > 0 {
				name += "(...)"
			}
			if len(list) == 0 || list[len(list)-1] != name {
				list = append(list, name)
			}
		}
	}
	return list
}
