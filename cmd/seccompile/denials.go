package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/audit"
	"github.com/seccompile/seccompile/internal/failure"
)

const denialsLong = `Denials reads a log and explains what seccomp reported in it: which program, container
or pod made which call, and what the filter answered. It finds the kernel's audit
records (type 1326, SECCOMP) in the output of dmesg, journalctl (also -o json) and
ausearch, in syslog and /var/log/audit/audit.log, in Android's logcat, and in the lines
of the log enricher of the Security Profiles Operator. Everything else is skipped.

With --profile, it says which rule decided, and what to change to allow the call. Calls
that the profile would have answered differently are from another filter, or from an
earlier version of the profile. With -o, it writes the profile with these changes, in its
format and otherwise as it was, but what a rule of the profile denies stays denied.

With -o alone, it writes a profile that allows the calls that were logged (the action
LOG): what a program did under a profile that logs everything.

A record does not contain the arguments of the call. If a rule depends on them, denials
says what may have decided; -o leaves such a call out, unless --any-args allows it with
any arguments. So it does with clone, personality, socket and unshare, whose arguments
decide what they can do. seccompile trace shows the arguments.

The kernel logs KILL and LOG. It logs ERRNO, TRAP, TRACE and NOTIFY only if the profile
has the flag SECCOMP_FILTER_FLAG_LOG, and no error number. Its own log, which dmesg
shows, gets only the first 10 or so records in 5 seconds. Before you make a profile of it,
set kernel.printk_ratelimit to 0, or use the log of auditd.

If the log comes through a pipe, denials reports each program and call as soon as it
comes, and counts at the end of the log or at SIGINT or SIGTERM. With --json it
writes one JSON document per line.

Whoever may write to the log can forge records: read a profile before you use it.

The exit status is 0 even if calls were denied, and 1 if -o cannot allow all of them, or
not know all of them because records are missing or cannot be read.`

// The denialsFlags are the flags of denials.
type denialsFlags struct {
	targetFlags
	output
	profile            string
	program, container string
	anyArgs            bool
	json               bool
}

func (a *app) denialsCommand() *cobra.Command {
	var d denialsFlags
	cmd := &cobra.Command{
		Use:        "denials [flags] [FILE|-]",
		Short:      "explain the calls that seccomp denied or logged, from a log",
		SuggestFor: []string{"audit", "ausearch", "dmesg", "journal", "log", "logs", "violations"},
		Long:       denialsLong,
		Example: `  dmesg | seccompile denials
  journalctl -k -f | seccompile denials --profile profile.json
  seccompile denials -p profile.json -o fixed.json /var/log/audit/audit.log
  seccompile denials --program nginx -o profile.json audit.log`,
		Args:              one("log"),
		ValidArgsFunction: completeOneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.denials(&d, first(args))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&d.profile, "profile", "p", "", "`PROFILE` that was in force")
	f.StringVarP(&d.path, "output", "o", "", "write the changed profile, or without --profile a new one, to `FILE` (- is standard output)")
	f.StringVar(&d.program, "program", "", "only records of the program `NAME`: its path, the last part of it, or the name of a thread")
	f.StringVar(&d.container, "container", "", "only records of the container or pod `NAME`, or of the container with this ID")
	f.BoolVar(&d.anyArgs, "any-args", false, "with -o: allow calls with any arguments where these matter")
	annotate(cmd, "profile", readsFile)
	annotate(cmd, "output", writesFile)
	annotate(cmd, "output", changesFile, "profile")
	addJSON(cmd, &d.json)
	d.addPlace(cmd)
	d.addReading(cmd)
	completeFlag(cmd, "profile", completeProfile)
	completeFlag(cmd, "program", oneOf())
	completeFlag(cmd, "container", oneOf())
	return cmd
}

// denials explains a log.
func (a *app) denials(d *denialsFlags, arg string) error {
	if d.anyArgs && (d.path == "" || d.profile == "") {
		return failure.Usagef("denials: --any-args needs --profile and -o")
	}
	j, err := a.referee(d)
	if err != nil {
		return err
	}
	log, live, err := a.openLog(arg)
	if log != nil {
		defer log.Close()
	}
	if err != nil {
		return err
	}
	s := &sightings{app: a, w: a.out, referee: j, json: d.json, live: live}
	if d.path == "-" {
		s.w = a.stderr
	}
	r := audit.NewReader(log)
	var h homes
	err = follow(r, live, func(rec *audit.Record) error {
		if home := h.of(rec); d.wants(rec, home) {
			return s.add(rec, home)
		}
		s.leftOut++
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.end(r); err != nil {
		return err
	}
	a.doubt(r, d.path != "")
	if d.path == "" {
		return nil
	}
	if err := a.writeAllowing(d, s); err != nil {
		return err
	}
	if r.Lost.Load()+r.Unreadable.Load() > 0 {
		return &failure.Error{Status: failure.No}
	}
	return nil
}

// doubt says what a log may not have told. writes means that a profile is made of it.
func (a *app) doubt(r *audit.Reader, writes bool) {
	const cure = "set kernel.printk_ratelimit to 0, or read what auditd or the journal's audit socket wrote"
	if n := r.Unreadable.Load(); n > 0 {
		a.warnf("denials: %s, the first at line %d", counted(n, "line looks like a seccomp record but could not be read", "lines look like seccomp records but could not be read"), r.First.Load())
	}
	if n := r.Lost.Load(); n > 0 {
		a.warnf("denials: %s (%s)", counted(n, "audit record is missing, as the kernel says in the log", "audit records are missing, as the kernel says in the log"), cure)
	} else if limit := printkLimit(); writes && r.Printed.Load() && limit != "0" {
		a.note("denials: the kernel's own log gets at most some 10 records in 5 seconds, so calls may be missing (%s)", cure)
	}
}

// printkLimit returns this kernel's setting, "" if it is not known.
func printkLimit() string {
	b, _ := os.ReadFile("/proc/sys/kernel/printk_ratelimit")
	return strings.TrimSpace(string(b))
}

// counted puts a number before one of two texts.
func counted(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// openLog opens the log that an argument names, or standard input. A log is live unless it is
// a file.
func (a *app) openLog(arg string) (log io.ReadCloser, live bool, err error) {
	if arg != "" && arg != "-" {
		f, err := os.Open(arg)
		if err != nil {
			return nil, false, inaccessible(arg, err, "give the name of a log, or - for standard input")
		}
		info, err := f.Stat()
		if err == nil && info.IsDir() {
			err = failure.Usagef("%s: is a directory", failure.Shown(arg))
		}
		return f, err == nil && !info.Mode().IsRegular(), err
	}
	if arg == "" && isTerminal(a.stdin) {
		return nil, false, failure.Usagef("denials: no log").Hintf("name a file, or pipe one in: dmesg | seccompile denials")
	}
	if a.stdinTaken {
		return nil, false, failure.Usagef("standard input can only be read once")
	}
	a.stdinTaken = true
	if f, ok := a.stdin.(*os.File); ok {
		info, err := f.Stat()
		live = err == nil && !info.Mode().IsRegular()
	}
	return io.NopCloser(a.stdin), live, nil
}

// follow hands the records of a log to do, until the log ends or, if it is live, SIGINT or
// SIGTERM comes.
func follow(r *audit.Reader, live bool, do func(*audit.Record) error) error {
	ctx := context.Background()
	if live {
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
	}
	records, ended := make(chan *audit.Record), make(chan error, 1)
	go func() {
		for {
			rec, err := r.Next()
			if err != nil {
				ended <- err
				return
			}
			select {
			case records <- rec:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("denials: the log: %w", err)
		case rec := <-records:
			if err := do(rec); err != nil {
				return err
			}
		}
	}
}

// wants reports whether the flags ask for a record.
func (d *denialsFlags) wants(rec *audit.Record, h home) bool {
	program := d.program == "" || d.program == rec.Exe || d.program == path.Base(rec.Exe) || d.program == rec.Comm
	return program && (d.container == "" || h.is(d.container))
}

// writeAllowing writes the profile that allows what was seen: the one that was given, with
// what it lacks, or else a new one.
func (a *app) writeAllowing(d *denialsFlags, s *sightings) error {
	var out *allowing
	var err error
	if s.referee.profile == nil {
		out, err = s.referee.fromLog(s.list)
	} else {
		out, err = s.referee.amended(s.list, d)
	}
	if err != nil {
		return err
	}
	for _, left := range out.left {
		a.warnf("denials: %s", left)
	}
	if s.more > 0 {
		a.warnf("denials: more than %d different calls: the profile is about the first ones", maxDenials)
	}
	switch {
	case len(out.added) > 0:
		a.note("denials: added %s", strings.Join(out.added, ", "))
	case len(out.left) == 0 && s.more == 0:
		a.note("denials: nothing to add: the profile already allows what the log reports")
	}
	if out.narrow != nil {
		a.note("denials: %s: the log does not have the arguments, so the profile allows no new namespaces, the default personality, and the usual families of sockets; trace shows what the program asks for", strings.Join(out.narrow, ", "))
	}
	if err := a.put(&d.output, out.text); err != nil {
		return err
	}
	if len(out.left) > 0 || s.more > 0 {
		return &failure.Error{Status: failure.No}
	}
	return nil
}
