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
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/internal/record"
	"github.com/seccompile/seccompile/internal/runtimes"
	"github.com/seccompile/seccompile/internal/watch"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
)

const recordLong = `Record runs a program and writes an OCI profile that allows the system calls of the
program, its threads and the processes that it starts. All other calls fail with
EPERM.

Some calls are allowed unseen, because it is a matter of luck whether they occur: those
that end a thread or resume it after a signal, that report why a program aborts, and that
the vDSO answers on one machine but not on another; and, if the program starts threads or
processes, those that depend on scheduling. A comment in each such rule gives the reason.

clone3 fails with ENOSYS, also while recording: no filter sees its flags, and C libraries
then use clone. Of clone and unshare the profile allows the namespaces that the program
made, of personality the values, of socket the families that it used; AF_UNIX, AF_INET,
AF_INET6 and AF_NETLINK (NETLINK_ROUTE) come together. Finally, record lists the calls
that the profile allows and Docker's default profile denies.

Record needs neither root nor ptrace. The program runs under a filter that notifies
seccompile of each call; seccompile notes the call and lets it continue, which makes a
call some microseconds slower. Set-user-ID programs gain no privileges (no_new_privs).
The program may install its own filters, but not one with a listener (EBUSY).

A recording covers only what this run does. To cover more, record again with the same
-o and other arguments and data: record adds the calls that FILE lacks. Calls that
FILE already allows run at full speed. If FILE has changed by the end, record adds to what
is there then, so several can record to one file at once. What record cannot write to FILE,
because it has become something else or cannot be written, it saves in another file and
says where.

With --base, the result is PROFILE plus the calls that it lacks; only those notify
seccompile. Calls that a rule of PROFILE denies stay denied, also while recording.

With --for, the profile also allows what container runtimes call themselves before the
program starts: runc, crun or both, depending on what PROGRAM uses.

With --args, the profile also tests other arguments that are constants or flags, such as
the request of an ioctl: it allows the combinations of constants that the program used,
with their flags. Arguments with more than 16 values stay unrestricted, as do numbers,
sizes, pointers and file descriptors.

With --frequencies, record also writes how often each call was made, which --weights of
compile reads; to the counts in an existing file it adds. Then all calls notify seccompile, but for those that end a thread or resume
it after a signal.

On a busy machine, a signal may arrive before seccompile has noted a call. The kernel
then restarts the call or, if the program's handler asks for that (sigaction without
SA_RESTART), makes it fail with EINTR, even if the call otherwise never does.

With -f systemd, record writes a drop-in for a service: the calls by name, whatever their
arguments are, and in a comment which calls that leaves open. systemd@257 has the sets of
that version. Record cannot add to such a file.

With --agent, record takes containers from their runtimes in place of a COMMAND; the
page docs/AGENT.md has examples. It listens at SOCKET, to which only its user and root
can connect. A container whose profile has SOCKET as its listenerPath is recorded until
its last process ends; then its profile is written to the folder that -o names, in a file
that is called after the container. To start with, give containers the profile that
--agent-profile prints: it has the agent see every call but those that runc makes before
the agent can answer, which every recording then allows. SIGINT or SIGTERM ends the
agent, which writes the profiles of the containers that still run. From then on, as if
the agent is killed, the calls of these containers fail with ENOSYS.

The exit status is the program's. If the program leaves processes behind, seccompile
records them until they end or until you interrupt it. From then on, as if seccompile is
killed, all calls that it would record fail with ENOSYS.`

// The recordFlags are the flags of record.
type recordFlags struct {
	targetFlags
	output
	base        string
	args        bool
	consumer    string
	frequencies string
	format      string
	agent       agentFlags
}

// A recordRun is one run of record.
type recordRun struct {
	recordFlags
	from      *intake.Compiled // the profile to start from, nil if there is none
	before    []byte           // what the -o file had at the start
	docker    *answer.Side     // Docker's default profile
	recording *record.Recording
	counts    frequencies // nil if nobody asked
	threads   map[int]bool
	processes map[int]bool
	listens   bool // a process asked for a listener of its own
	progress  *progress
}

func (a *app) recordCommand() *cobra.Command {
	var r recordRun
	cmd := &cobra.Command{
		Use:        "record [flags] [--] COMMAND [ARG...]",
		Short:      "run a program and write the profile that it needs",
		SuggestFor: []string{"generate", "learn"},
		Long:       recordLong,
		Example: `  seccompile record -o profile.json -- ./server --port 8080
  seccompile record --args -o profile.json -- sh -c 'sort file | uniq'
  seccompile record --base docker-default -o profile.json -- ./server
  seccompile record --for docker -o profile.json -- ./server
  seccompile record --frequencies calls.txt -o profile.json -- ./server
  seccompile record -f systemd@257 -o server.service.d/calls.conf -- ./server
  seccompile record --agent /run/seccompile.sock --agent-profile -o start.json
  seccompile record --agent /run/seccompile.sock -o profiles`,
		Annotations:       map[string]string{ownStatus: "yes"},
		ValidArgsFunction: completeProgram,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := r.checkFormat(); err != nil {
				return err
			}
			if r.agent.wanted() {
				return a.recordAgent(&r, args)
			}
			if len(args) == 0 {
				return failure.Usagef("record: no command given").Hintf("for example: seccompile record -o profile.json -- sh -c 'ls | wc'")
			}
			return a.record(&r, args)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVarP(&r.path, "output", "o", "", "write the profile to `FILE`, or add to the profile in it (default: standard output); with --agent, a folder")
	f.StringVarP(&r.format, "format", "f", string(ocijson.OCI), "write `FORMAT` oci, or systemd[@VERSION] for a drop-in with SystemCallFilter= lines")
	f.StringVar(&r.base, "base", "", "start from `PROFILE`, unless the -o file exists")
	annotate(cmd, "output", writesFile)
	annotate(cmd, "output", changesFile, "base")
	annotate(cmd, "base", readsFile)
	f.BoolVar(&r.args, "args", false, "also restrict arguments that are constants or flags")
	f.StringVar(&r.consumer, "for", "", "allow what the runtimes of `PROGRAM` need: docker, podman, containerd, kubernetes, cri-o, runc or crun")
	f.StringVar(&r.frequencies, "frequencies", "", "write how often each call was made to `FILE`, or add to the counts in it, for --weights")
	annotate(cmd, "frequencies", writesFile)
	r.agent.add(cmd)
	r.addContainer(cmd)
	completeFlag(cmd, "format", oneOf(recordFormats()...))
	completeFlag(cmd, "base", completeProfile)
	completeFlag(cmd, "for", oneOf(runtimes.Consumers()...))
	return cmd
}

// record runs a program and writes its profile.
func (a *app) record(r *recordRun, args []string) error {
	if err := cmp.Or(writable("record", r.path), writable("record", r.frequencies), a.readDocker(r), a.readBase(r), r.readFrequencies()); err != nil {
		return err
	}
	path, err := lookProgram("record", args[0])
	if err != nil {
		return err
	}
	if err := r.start(); err != nil {
		return err
	}
	filter, err := r.filter()
	if err != nil {
		return err
	}
	gap := a.startGap()
	r.progress = a.startProgress(r.from != nil)
	before := processorTime()
	status, err := watch.Run(&watch.Command{
		Path: path, Args: args, Filter: filter, Handle: r.handle,
		Denied: gap.add,
		Blind:  func(reason error) { gap.blind = reason },
		Orphaned: func() {
			a.note("record: %s has ended; still recording the processes that it left behind", failure.Shown(args[0]))
		},
		Left: func(n int) { a.warnLeft("record", n) },
	})
	r.progress.stop()
	a.warnGap(gap)
	if err != nil {
		return notStarted("record", err)
	}
	a.note("record: %s; answering took %s of CPU time", r.progress, rounded(processorTime()-before))
	err, err2 := a.writeRecording(r), a.writeFrequencies(r)
	if err == nil {
		err, err2 = err2, nil
	}
	if a.report(nil, err2); err != nil {
		return err
	}
	return &failure.Error{Status: status}
}

// start makes the recording, with nothing in it yet.
func (r *recordRun) start() (err error) {
	options := record.Options{Args: r.args}
	if r.consumer != "" {
		var known bool
		if options.For, known = runtimes.For(r.consumer); !known {
			return failure.Usagef("record: --for: unknown program %q (known: %s)", r.consumer, strings.Join(runtimes.Consumers(), ", ")).
				HintNearest(r.consumer, runtimes.Consumers(), "")
		}
	}
	if r.from != nil {
		options.Base, options.Reading = r.from.Policy, r.from.Options
	}
	r.threads, r.processes = make(map[int]bool), make(map[int]bool)
	r.recording, err = record.New(options)
	return err
}

// filter returns the filter that notifies of the calls to record.
func (r *recordRun) filter() (*cbpf.Program, error) {
	if r.frequencies == "" {
		return denied("record", r.recording.Base())
	}
	r.counts = make(frequencies)
	endings, err := record.Endings(r.recording.Base().ABIs())
	if err != nil {
		return nil, err
	}
	return watch.Denied(endings)
}

// denied returns a filter that notifies of the calls that a profile denies. verb is the
// command that needs it.
func denied(verb string, r *policy.Resolved) (*cbpf.Program, error) {
	filter, err := watch.Denied(r)
	if err == nil && !filter.Returns(cbpf.Notify) {
		err = failure.Nof("%s: the profile does not deny anything", verb)
	}
	return filter, err
}

// writable finds out beforehand whether a profile can be written. verb is the command that
// will.
func writable(verb, path string) error {
	info, err := os.Stat(path)
	if path == "" || path == "-" || err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil
	}
	if err == nil && info.IsDir() {
		return failure.Usagef("%s: %s: is a directory", verb, failure.Shown(path))
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".seccompile-")
	if err != nil {
		return unwritable(path, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// readBase reads the profile to start from: the one that is in the output file, or
// else the one that --base names.
func (a *app) readBase(r *recordRun) error {
	name := r.base
	if info, err := os.Stat(r.path); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		if name = r.path; r.base != "" {
			a.note("record: %s exists, so record adds to it and ignores --base %s", failure.Shown(r.path), failure.Shown(r.base))
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
		r.before = in.Data
	}
	if r.from, err = r.compile(in); err != nil {
		return err
	}
	if lint.Foreign(r.from.Policy) {
		return failure.Usagef("record: %s is in another language than OCI's, Docker's and Podman's, and a recording cannot add to it", in.Name).
			Hintf("record without it, and compare the two with diff")
	}
	a.warn(in, r.from.Warnings)
	return runnable("record", r.from)
}

// extendable refuses to replace a file that record cannot add to.
func extendable(in *intake.Input) error {
	if in.Kind == intake.KindProfile && !in.YAML && ocijson.Detect(in.Source) == ocijson.OCI {
		return nil
	}
	return failure.Usagef("record: %s exists and is not an OCI profile, so record cannot add to it", in.Name).
		Hintf("name another file with -o; --base accepts profiles in all formats of OCI, Docker and Podman")
}

// maxThreads bounds what is kept to count processes.
const maxThreads = 1 << 16

// handle records a call and lets it go on, unless a rule of the base denies it.
func (r *recordRun) handle(n *loader.Notification) error {
	if !r.threads[n.PID] && len(r.threads) < maxThreads {
		r.threads[n.PID] = true
		r.processes[watch.Caller(n).PID] = true
		r.progress.processes.Store(int64(len(r.processes)))
	}
	r.counts.add(&n.Data)
	if a, refused := r.recording.Refuses(&n.Data); refused {
		return watch.Enforce(n, a)
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
// kernel refuses while another listener watches the program.
func wantsListener(d *cbpf.Data) bool {
	const setModeFilter, newListener = 1, 1 << 3 // linux/seccomp.h
	return d.Args[0] == setModeFilter && d.Args[1]&newListener != 0 &&
		policy.Names().Syscall(d.Arch, d.NR) == "seccomp"
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

// rounded rounds a duration to what people read.
func rounded(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
