package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/loader"
)

const traceLong = `Trace runs a program under a profile and reports each denied call: the process, the
arguments, the rule that decided, and the rule that would allow the call. The program
continues as the profile decides, or with --permissive as if all was allowed. Without
--profile, trace uses Docker's profile.

Allowed calls run at full speed: the filter notifies seccompile only of denied calls,
and seccompile does what the kernel would do. Trace needs neither root nor ptrace, and
set-user-ID programs gain no privileges (no_new_privs). A few actions differ from the
kernel's: instead of a single thread the whole process is killed; a program that
handles SIGSYS is killed by SIGKILL instead of SIGSYS; and the handler of a
SCMP_ACT_TRAP does not get the number of the call.

In a container, or under run, filters are in force already, and their answers come
first. Trace says so, and finds the calls that they deny by watching the program with
ptrace, which makes each of its calls slower; it says so, too, if ptrace is denied.
--outer explains these calls by the container's profile or filter. What an earlier
filter would only log is not logged.

Trace says at the end if the program has put filters in force itself, because it does
not see what they deny. If the program leaves processes behind, trace goes on until they
end or you interrupt it; from then on, calls that the profile denies, and under an
earlier filter nearly all calls of these processes, fail with ENOSYS.

With --pid, trace watches a running process and what it starts, and reports what the
filters deny that are in force there, until it ends or you interrupt trace. This needs
root outside of containers. --outer explains the calls here, too.

Calls that the profile cannot distinguish are reported once, and counted at the end.
The report goes to standard error, or to the file given with -o; with --json it is one
JSON document per line.

With --agent, trace takes containers from their runtimes in place of a COMMAND; the
page docs/AGENT.md has examples. It listens at SOCKET, to which only its user and root
can connect, and reports on each container whose profile has SOCKET as its listenerPath,
with the name of the container in every line. Give containers the profile that
--agent-profile prints: it has the agent see the calls that PROFILE denies, and does the
rest itself. The agent does what PROFILE says. SIGINT or SIGTERM ends it. From then on, as
if it is killed, denied calls of the containers that still run fail with ENOSYS.

The exit status is the program's, whatever was denied. If seccompile is killed, denied
calls fail with ENOSYS; a program that it watches with ptrace is killed, too.`

// The traceFlags are the flags of trace.
type traceFlags struct {
	targetFlags
	profile    string
	outer      string
	report     string
	pid        int
	permissive bool
	json       bool
	agent      agentFlags
}

// A traceRun is one run of trace.
type traceRun struct {
	traceFlags
	in       *intake.Input
	compiled *intake.Compiled
	denials  *denials
}

func (a *app) traceCommand() *cobra.Command {
	var t traceRun
	cmd := &cobra.Command{
		Use:        "trace [flags] [--] COMMAND [ARG...]",
		Short:      "run a program under a profile and explain each denied call",
		SuggestFor: []string{"debug"},
		Long:       traceLong,
		Example: `  seccompile trace -- unshare -U true
  seccompile trace --profile profile.json -- ./server --port 8080
  seccompile trace --permissive -p profile.json --json -o denied.jsonl -- ./server
  seccompile trace --outer docker-default --pid 4711
  seccompile trace -p profile.json --agent /run/seccompile.sock --agent-profile -o traced.json
  seccompile trace -p profile.json --agent /run/seccompile.sock`,
		Annotations:       map[string]string{ownStatus: "yes"},
		ValidArgsFunction: completeProgram,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("pid") {
				return a.traceProcess(cmd, &t, args)
			}
			if t.agent.wanted() {
				return a.traceAgent(&t, args)
			}
			if len(args) == 0 {
				return failure.Usagef("trace: no command given").Hintf("for example: seccompile trace -- sh -c 'unshare -U'")
			}
			return a.trace(&t, args)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVarP(&t.profile, "profile", "p", intake.DockerDefault, "`PROFILE` to run under")
	f.BoolVar(&t.permissive, "permissive", false, "let the calls through that the profile denies")
	f.StringVar(&t.outer, "outer", "", "explain what other filters deny by `PROFILE` or filter: the container's")
	f.IntVar(&t.pid, "pid", 0, "watch the process `PID` under its own filters instead of running a program")
	f.StringVarP(&t.report, "output", "o", "", "write the report to `FILE`, line by line (default: standard error; - is standard output)")
	annotate(cmd, "profile", readsFile)
	annotate(cmd, "outer", readsFile)
	annotate(cmd, "output", writesFile)
	addJSON(cmd, &t.json)
	t.agent.add(cmd)
	t.addPlace(cmd)
	t.addReading(cmd)
	completeFlag(cmd, "profile", completeProfile)
	completeFlag(cmd, "outer", completeProfile)
	completeFlag(cmd, "pid", oneOf())
	return cmd
}

// trace runs a program and reports what is denied.
func (a *app) trace(t *traceRun, args []string) error {
	if err := a.readTraced(t); err != nil {
		return err
	}
	outer, err := a.readOuter(&t.Target, t.outer)
	if err != nil {
		return err
	}
	path, err := lookProgram("trace", args[0])
	if err != nil {
		return err
	}
	if _, err := denied("trace", t.compiled.Resolved); err != nil {
		return err
	}
	if !t.permissive {
		if err := untraceable(t.compiled.Program, path); err != nil {
			return err
		}
	}
	filter, err := watch.DeniedAndInstalls(t.compiled.Resolved)
	if err != nil {
		return err
	}
	w, closeReport, err := a.openReport(t.report)
	if err != nil {
		return err
	}
	t.denials = t.newDenials(w)
	filters, blind := watch.Earlier()
	t.denials.outer, t.denials.earlier = outer, filters
	a.noteEarlier("trace", filters, blind)
	if filters > 0 && blind == nil && outer.traces() {
		a.noteTracer("trace")
	}
	status, err := watch.Run(&watch.Command{
		Path: path, Args: args, Filter: filter, Handle: t.handle,
		Denied: t.denials.addOther,
		Blind:  func(reason error) { t.denials.blind = reason },
		Orphaned: func() {
			a.note("trace: %s has ended; still tracing the processes that it left behind", failure.Shown(args[0]))
		},
		Left: func(n int) { a.warnLeft("trace", n) },
	})
	f := &failure.Error{Status: status}
	if err != nil {
		f = notStarted("trace", err)
	}
	t.denials.failed = err
	t.denials.end(f.Status)
	if err := cmp.Or(t.denials.err, closeReport()); err != nil && f.Err == nil {
		return err
	}
	return f
}

// noteEarlier says that filters are in force already. verb is the command that minds.
// blind is why it cannot see what they deny.
func (a *app) noteEarlier(verb string, filters int, blind error) {
	if filters == 0 {
		return
	}
	there := countFilters(filters, "is", "are")
	if blind != nil {
		a.note("%s: %s in force already, as in a container; what is denied there cannot be seen", verb, there)
		return
	}
	a.note("%s: %s in force already, as in a container; what is denied there is found with ptrace, which makes all calls slower", verb, there)
}

// noteTracer says what verb changes for calls that earlier filters hand to a tracer.
func (a *app) noteTracer(verb string) {
	a.note("%s: a call that an earlier filter hands to a tracer (SCMP_ACT_TRACE) goes on here; without a tracer it fails with ENOSYS", verb)
}

// warnLeft says what becomes of processes that are left when a signal ends a run: about n,
// if that is known.
func (a *app) warnLeft(verb string, n int) {
	what := "processes that the program left behind go on"
	switch {
	case n == 1:
		what = "about 1 process that the program left behind goes on"
	case n > 1:
		what = fmt.Sprintf("about %d %s", n, what)
	}
	a.warnf("%s: interrupted, but %s under the filter: calls that it leaves to seccompile fail with ENOSYS from now on", verb, what)
}

// traceProcess reports what is denied to a running process.
func (a *app) traceProcess(cmd *cobra.Command, t *traceRun, args []string) error {
	switch {
	case len(args) > 0:
		return failure.Usagef("trace: --pid and a command exclude each other")
	case cmd.Flags().Changed("profile"):
		return failure.Usagef("trace: --pid and --profile exclude each other: a running process keeps its filters").Hintf("--outer PROFILE explains what they deny")
	case t.permissive:
		return failure.Usagef("trace: --pid and --permissive exclude each other: a running process keeps its filters")
	case t.agent.wanted():
		return failure.Usagef("trace: --pid and --agent exclude each other")
	case t.pid <= 0:
		return failure.Usagef("trace: --pid: %d is not a process ID", t.pid)
	}
	outer, err := a.readOuter(&t.Target, t.outer)
	if err != nil {
		return err
	}
	w, closeReport, err := a.openReport(t.report)
	if err != nil {
		return err
	}
	t.denials = &denials{w: w, json: t.json, outer: outer}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err = watch.Attach(ctx, t.pid, t.denials.addOther)
	if errors.Is(err, loader.ErrNoFilters) {
		return failure.Nof("process %d has no filters", t.pid)
	}
	if err != nil {
		return err
	}
	t.denials.end(0)
	return cmp.Or(t.denials.err, closeReport())
}

// readTraced reads the profile.
func (a *app) readTraced(t *traceRun) error {
	var err error
	if t.in, err = a.read(t.profile); err != nil {
		return err
	}
	if t.compiled, err = t.compile(t.in); err != nil {
		return err
	}
	a.warn(t.in, t.compiled.Warnings)
	return runnable("trace", t.compiled)
}

// newDenials returns an empty report.
func (t *traceRun) newDenials(w io.Writer) *denials {
	return &denials{w: w, json: t.json, permissive: t.permissive, profile: newExplainer(&t.Target, t.in, t.compiled)}
}

// openReport opens the place that the report goes to.
func (a *app) openReport(path string) (w io.Writer, done func() error, err error) {
	if path == "" {
		return a.stderr, func() error { return nil }, nil
	}
	if path == "-" {
		return &wordWriter{to: a.stdout}, func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, nil, unwritable(path, err)
	}
	return &wordWriter{to: f}, f.Close, nil
}

// handle reports a denied call and does what the profile says. The notification may be
// of any listener for the profile.
func (t *traceRun) handle(n *loader.Notification) error {
	v := t.denials.profile.resolved.Decide(&n.Data)
	if watch.PutsFilter(&n.Data) && (t.permissive || v.Action.Permits(cbpf.Alone)) {
		t.denials.own = true
	}
	if v.Action.Permits(cbpf.Alone) {
		return n.Continue()
	}
	t.denials.add(&n.Data, v, func() (watch.Process, [6]string) { return watch.Caller(n), watch.Texts(n) })
	if t.permissive {
		return n.Continue()
	}
	return watch.Enforce(n, v.Action)
}
