package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/record"
	"github.com/seccompile/seccompile/syscalltables"
)

const recordLong = `Record runs a program and writes the OCI profile that allows the system calls
that it made, with all its threads and the processes that it started. All others
fail with EPERM, but for the few that end a thread or resume it after a signal.

It takes neither root nor ptrace. The program runs under a filter that reports
each call to seccompile, which notes it and lets it go on, so that a call takes
some microseconds longer. Set-user-ID programs gain no privileges (no_new_privs).
A program may install filters of its own, but none with a listener: it gets EBUSY.

A run shows only what this run does. Record again with the same -o, with other
arguments and data, and FILE gets the calls that it lacks. What it allows already
runs at full speed.

With --base, the profile is PROFILE and the calls that it lacks: only those are
reported. What a rule of PROFILE denies stays denied, while recording as well.

With --args, the profile also tests arguments that are constants or flags, such as
the family of a socket or the request of an ioctl: it allows the combinations of
constants that were seen, and the flags. An argument with more than 16 values is
left open, and so are numbers, sizes, pointers and file descriptors.

On a busy machine a signal may arrive before a call has been noted. The kernel then
makes the call anew or, where the program's handler asks for that (sigaction without
SA_RESTART), lets it fail with EINTR, even a call that otherwise never does.

The exit status is the program's. Processes that it left behind are recorded
until they end, or until seccompile is interrupted. If seccompile is killed, all
calls of the program fail with ENOSYS.`

// A recorder is what the flags of record say, and a run.
type recorder struct {
	target
	output
	base string
	args bool

	from      *compiled // the profile to start from, nil if there is none
	recording *record.Recording
	threads   map[int]bool
	processes map[int]bool
	listens   bool // a process wanted to listen itself
	progress  *progress
}

func (a *app) recordCommand() *cobra.Command {
	r := recorder{target: target{enosys: "profile", compat: "runc", badArch: "kill-thread"}}
	cmd := &cobra.Command{
		Use:   "record [flags] [--] COMMAND [ARG...]",
		Short: "write the profile that a program needs",
		Long:  recordLong,
		Example: `  seccompile record -o profile.json -- ./server --port 8080
  seccompile record --args -o profile.json -- sh -c 'sort file | uniq'
  seccompile record --base docker-default -o profile.json -- ./server`,
		Annotations:       map[string]string{ownStatus: "yes"},
		ValidArgsFunction: completeProgram,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("record: no command").hintf("seccompile record -o profile.json -- sh -c 'ls | wc'")
			}
			return a.record(&r, args)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVarP(&r.path, "output", "o", "", "write the profile to `FILE`, or add to the one in it (default: standard output)")
	f.StringVar(&r.base, "base", "", "start from `PROFILE`, unless FILE exists")
	f.BoolVar(&r.args, "args", false, "test arguments that are constants or flags")
	r.addContainer(cmd)
	completeFlag(cmd, "base", completeProfile)
	return cmd
}

// record runs a program and writes its profile.
func (a *app) record(r *recorder, args []string) error {
	if err := cmp.Or(writable(r.path), a.readBase(r)); err != nil {
		return err
	}
	path, err := lookProgram("record", args[0])
	if err != nil {
		return err
	}
	options := record.Options{Args: r.args}
	if r.from != nil {
		options.Base, options.Reading = r.from.policy, r.from.options
	}
	if r.recording, err = record.New(options); err != nil {
		return err
	}
	filter, err := denied("record", r.recording.Base())
	if err != nil {
		return err
	}
	r.threads, r.processes = make(map[int]bool), make(map[int]bool)
	r.progress = a.startProgress()
	before := processorTime()
	status, err := watch.Run(&watch.Command{
		Path: path, Args: args, Filter: filter, Handle: r.handle,
		Orphaned: func() {
			a.note("record: %s has ended; the processes that it left behind are recorded until they end", shown(args[0]))
		},
	})
	r.progress.stop()
	if err != nil {
		return notStarted("record", err)
	}
	a.note("record: %s; answering took %s of processor time", r.progress, rounded(processorTime()-before))
	if err := a.writeRecording(r); err != nil {
		return err
	}
	return &failure{code: status}
}

// denied returns the filter that reports what a profile denies. verb is the command
// that wants it.
func denied(verb string, r *policy.Resolved) (*cbpf.Program, error) {
	filter, err := watch.Denied(r)
	if err == nil && !filter.Returns(cbpf.Notify) {
		err = nof("%s: the profile denies nothing", verb)
	}
	return filter, err
}

// writable finds out, before the program runs, whether its profile can be written.
func writable(path string) error {
	info, err := os.Stat(path)
	if path == "" || path == "-" || err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil
	}
	if err == nil && info.IsDir() {
		return usagef("record: %s: is a directory", shown(path))
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".seccompile-")
	if err != nil {
		return unreadable(path, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// readBase reads the profile to start from: the one that is in the output file, or
// else the one that --base names.
func (a *app) readBase(r *recorder) error {
	name := r.base
	if info, err := os.Stat(r.path); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		if name = r.path; r.base != "" {
			a.note("record: %s exists, so %s is not read: what it lacks is added", shown(r.path), shown(r.base))
		}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unreadable(r.path, err)
	}
	if name == "" {
		return nil
	}
	in, err := a.read(name)
	if err != nil {
		return err
	}
	if name == r.path {
		if err := extendable(in); err != nil {
			return err
		}
	}
	if r.from, err = r.compile(in); err != nil {
		return err
	}
	a.warn(in, r.from.warnings)
	return runnable("record", r.from)
}

// extendable refuses to replace a file that nothing of what record writes could be
// added to.
func extendable(in *input) error {
	if in.kind == kindProfile && policy.Sniff(in.data) == policy.FormatOCI {
		return nil
	}
	return usagef("record: %s exists and is no OCI profile that could be added to", in.name).
		hintf("name another file with -o; --base takes profiles of all formats")
}

// handle records a call and lets it go on, unless a rule of the base denies it.
func (r *recorder) handle(n *loader.Notification) error {
	if !r.threads[n.PID] {
		r.threads[n.PID] = true
		r.processes[watch.Caller(n).PID] = true
		r.progress.processes.Store(int64(len(r.processes)))
	}
	if v := r.recording.Base().Decide(&n.Data); v.Reason == policy.ByRule && !record.Passes(v.Action) {
		return watch.Enforce(n, v.Action)
	}
	err := n.Continue()
	if r.recording.Add(&n.Data) {
		r.progress.kinds.Add(1)
	}
	r.progress.calls.Add(1)
	if !r.listens && wantsListener(&n.Data) {
		r.listens = true
	}
	return err
}

// wantsListener reports whether a call installs a filter with a listener, which the
// kernel refuses to programs that are watched.
func wantsListener(d *cbpf.Data) bool {
	const setModeFilter, newListener = 1, 1 << 3 // linux/seccomp.h
	return d.Args[0] == setModeFilter && d.Args[1]&newListener != 0 &&
		syscalltables.Names{}.Syscall(d.Arch, d.NR) == "seccomp"
}

// writeRecording writes the profile and says what to know about it.
func (a *app) writeRecording(r *recorder) error {
	res, err := r.recording.Profile()
	if err != nil {
		return fmt.Errorf("record: the calls recorded cannot be added to the profile: %w", err)
	}
	if r.listens {
		a.warnf("record: a process wanted a filter with a listener and got EBUSY, for seccompile has that: record it without")
	}
	for _, c := range res.Unnamed {
		a.warnf("record: no profile can name number %s, which was called %s: it has no name", numberOf(&c.First), times(c.Count))
	}
	for _, c := range res.Denied {
		a.warnf("record: a rule of the profile denies %s all the same, which was called %s", c.Name(), times(c.Count))
	}
	for _, c := range res.Open {
		a.warnf("record: %s was called with too many different values: arguments are left open", c.Name())
	}
	switch {
	case r.from == nil:
	case len(res.Added) == 0 && len(res.ABIs) == 0:
		a.note("record: nothing to add: the profile allows everything that the program did")
	default:
		a.note("record: added %s", strings.Join(added(res), ", "))
	}
	return a.put(&r.output, []byte(res.Policy.String()))
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

// numberOf names a call that has no name.
func numberOf(d *cbpf.Data) string {
	if abi, ok := arch.ByAudit(d.Arch, d.NR); ok {
		return fmt.Sprintf("%d of %s", int32(d.NR), abi)
	}
	return fmt.Sprintf("%d of AUDIT_ARCH %#x", int32(d.NR), d.Arch)
}

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// rounded leaves as much of a duration as people want to read.
func rounded(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}

// warnf tells the user something that is likely a problem.
func (a *app) warnf(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, "seccompile: warning: %s\n", fmt.Sprintf(format, args...))
	}
}
