package main

import (
	"cmp"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/record"
)

const traceLong = `Trace runs a program under a profile and says of each call that the profile denies
who made it, with what arguments, what decided, and which rule would allow it.
The program goes on as the profile decides. Without --profile the profile is
Docker's.

Allowed calls run at full speed: the filter reports the denied ones to seccompile,
which does what the kernel would do. It takes neither root nor ptrace, and
set-user-ID programs gain no privileges (no_new_privs). What a supervisor cannot
do quite like the kernel: a thread that should be killed takes its process with it; a
program that handles SIGSYS is killed by SIGKILL where it should be by SIGSYS; and
the handler of a SCMP_ACT_TRAP does not get the number of the call.

Calls that differ in nothing that the profile tests are reported once, and counted
at the end. The report goes to standard error or to the file of -o; with --json it
is one document a line.

The exit status is the program's, whatever was denied. If seccompile is killed, denied
calls fail with ENOSYS.`

// A tracing is what the flags of trace say, and a run.
type tracing struct {
	target
	profile string
	report  string
	json    bool

	compiled *compiled
	denials  *denials
}

func (a *app) traceCommand() *cobra.Command {
	var t tracing
	cmd := &cobra.Command{
		Use:   "trace [flags] [--] COMMAND [ARG...]",
		Short: "run a program under a profile and explain what is denied",
		Long:  traceLong,
		Example: `  seccompile trace -- unshare -U true
  seccompile trace --profile profile.json -- ./server --port 8080
  seccompile trace -p profile.json --json -o denied.jsonl -- ./server`,
		Annotations:       map[string]string{ownStatus: "yes"},
		ValidArgsFunction: completeProgram,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("trace: no command").hintf("seccompile trace -- sh -c 'unshare -U'")
			}
			return a.trace(&t, args)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVarP(&t.profile, "profile", "p", dockerDefault, "the `PROFILE`")
	f.StringVarP(&t.report, "output", "o", "", "write the report to `FILE`, line by line (default: standard error)")
	addJSON(cmd, &t.json)
	t.addPlace(cmd)
	t.addReading(cmd)
	completeFlag(cmd, "profile", completeProfile)
	return cmd
}

// trace runs a program and reports what is denied.
func (a *app) trace(t *tracing, args []string) error {
	in, err := a.read(t.profile)
	if err != nil {
		return err
	}
	if t.compiled, err = t.compile(in); err != nil {
		return err
	}
	a.warn(in, t.compiled.warnings)
	if err := runnable("trace", t.compiled); err != nil {
		return err
	}
	path, err := lookProgram("trace", args[0])
	if err != nil {
		return err
	}
	filter, err := denied("trace", t.compiled.resolved)
	if err != nil {
		return err
	}
	w, closeReport, err := a.openReport(t.report)
	if err != nil {
		return err
	}
	t.denials = &denials{
		w: w, json: t.json, profile: t.profile,
		policy: t.compiled.policy, reading: t.compiled.options, resolved: t.compiled.resolved,
	}
	status, err := watch.Run(&watch.Command{
		Path: path, Args: args, Filter: filter, Handle: t.handle,
		Orphaned: func() {
			a.note("trace: %s has ended; the processes that it left behind are traced until they end", shown(args[0]))
		},
	})
	f := &failure{code: status}
	if err != nil {
		f = notStarted("trace", err)
	}
	t.denials.end(f.code)
	if err := cmp.Or(t.denials.err, closeReport()); err != nil && f.err == nil {
		return err
	}
	return f
}

// openReport opens the place that the report goes to.
func (a *app) openReport(path string) (w io.Writer, done func() error, err error) {
	if path == "" {
		return a.stderr, func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, nil, unreadable(path, err)
	}
	return &wordWriter{to: f}, f.Close, nil
}

// handle reports a call and does with it what the profile says.
func (t *tracing) handle(n *loader.Notification) error {
	v := t.compiled.resolved.Decide(&n.Data)
	if !record.Passes(v.Action) {
		t.denials.add(&n.Data, v, func() watch.Process { return watch.Caller(n) })
	}
	return watch.Enforce(n, v.Action)
}
