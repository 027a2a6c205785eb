package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/record"
	"github.com/seccompile/seccompile/internal/scan"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

const scanLong = `Scan finds the system calls that programs can make, without running them, and writes an
OCI profile that allows these. It reads x86_64 and aarch64 ELF executables, static and
dynamic, with all libraries that ld.so loads and what programs load themselves: NSS, gconv
and PAM modules, Python's lib-dynload, and files and folders of plug-ins that a program
names in its data. Of scripts it reads the interpreters, of a folder all programs in it.

A recording shows what ran; scan shows what can run, errors that never occurred among it.
With --observed, scan compares the two: calls that RECORDING allows and that programs can
make, calls that were never seen, and calls that were seen and that scan did not find. The
last would be a defect of scan, or other programs that the recorded one started: then the
exit status is 1. With --unseen, the profile logs calls that were never seen, or notifies a
supervisor of them.

What cannot be known from files makes the profile incomplete; scan says what and why, and so
does a comment in the profile. Name the plug-ins that it misses with --with. Programs that a
program executes make calls of their own: scan them too. Scan names those whose names are
constants in the code that can run.

With --why, scan prints the shortest chain of functions from an entry point to a system call.
With --args, the profile also tests arguments whose values scan finds: constants and flags,
as record --args does. Without it, the profile tests the same few as a recording.

With --root, paths are inside a folder with the file system of a container image.

The page docs/SCAN.md says how scan works and what it assumes.`

// The scanFlags are the flags of scan.
type scanFlags struct {
	output
	options  scan.Options
	args     bool
	why      string
	observed string
	unseen   string
	json     bool
	cache    string
}

// What a profile does about calls that can be made and were not observed.
var unseenActions = []struct {
	name   string
	action cbpf.Action
}{{"allow", cbpf.Allow}, {"log", cbpf.Log}, {"notify", cbpf.Notify}}

func (a *app) scanCommand() *cobra.Command {
	var s scanFlags
	cmd := &cobra.Command{
		Use:        "scan [flags] PROGRAM|SCRIPT|DIR...",
		Short:      "find what programs can call, without running them",
		SuggestFor: []string{"analyze", "analyse", "static", "reach"},
		Long:       scanLong,
		Example: `  seccompile scan -o profile.json /usr/sbin/nginx
  seccompile scan --why socket /usr/bin/sort
  seccompile scan --observed recording.json ./server
  seccompile scan --root rootfs -o image.json /usr/bin /usr/sbin
  seccompile scan --with /usr/lib/plugins --args -o profile.json ./server`,
		ValidArgsFunction: completeProgram,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return failure.Usagef("scan: no program given").Hintf("for example: seccompile scan -o profile.json /usr/bin/sort")
			}
			return a.scan(&s, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&s.path, "output", "o", "", "write the profile to `FILE` (default: standard output, unless it has another answer)")
	annotate(cmd, "output", writesFile)
	f.BoolVar(&s.args, "args", false, "also restrict arguments that are constants or flags")
	f.StringVar(&s.why, "why", "", "print how a program reaches `CALL`")
	f.StringVar(&s.observed, "observed", "", "compare with `RECORDING`, a profile that record wrote")
	annotate(cmd, "observed", readsFile)
	f.StringVar(&s.unseen, "unseen", "allow", "about calls that --observed did not see, the profile does `ACTION`: allow, log or notify")
	f.StringVar(&s.options.Root, "root", "", "take paths as of `DIR`, the root folder of an image")
	f.StringArrayVar(&s.options.With, "with", nil, "programs also load `FILE`, or all files in a folder")
	f.StringVar(&s.cache, "cache", "", "keep what is known of files in `DIR` (default: seccompile in the user's cache folder; none keeps nothing)")
	addJSON(cmd, &s.json)
	completeFlag(cmd, "unseen", oneOf(unseenNames()...))
	completeFlag(cmd, "why", completeCalls)
	return cmd
}

func unseenNames() (names []string) {
	for _, u := range unseenActions {
		names = append(names, u.name)
	}
	return names
}

// scan scans programs and writes what was asked for.
func (a *app) scan(s *scanFlags, args []string) error {
	unseen := slices.Index(unseenNames(), s.unseen)
	switch {
	case unseen < 0:
		return failure.Usagef("scan: --unseen: unknown action %q (known: %s)", s.unseen, strings.Join(unseenNames(), ", "))
	case unseen > 0 && s.observed == "":
		return failure.Usagef("scan: --unseen needs --observed").Hintf("record the program first: seccompile record -o recording.json -- PROGRAM")
	case s.why != "" && s.json:
		return failure.Usagef("scan: --why and --json both write to standard output").Hintf("--json has the chains of all calls")
	}
	if s.why != "" {
		if _, ok := syscalltables.Lookup(s.why); !ok {
			return failure.Usagef("scan: --why: unknown system call %q", s.why).HintNearest(s.why, []string{syscalltables.Nearest(s.why)}, "")
		}
	}
	seen, err := a.readObserved(s)
	if err != nil {
		return err
	}
	s.options.Paths, s.options.Cache = s.paths(args), s.cacheDir()
	asks, err := asked(s.args)
	if err != nil {
		return err
	}
	s.options.Args, s.options.Shortest = asks, s.why != "" || s.json
	debug.SetGCPercent(40) // what is known of code is large and has few pointers: collections are cheap
	res, err := scan.Scan(s.options)
	if err != nil {
		return err
	}
	return a.answerScan(s, res, seen)
}

// paths makes paths absolute, which are the user's, or else the image's.
func (s *scanFlags) paths(args []string) (paths []string) {
	for i := range s.options.With {
		s.options.With[i] = s.absolute(s.options.With[i])
	}
	for _, arg := range args {
		paths = append(paths, s.absolute(arg))
	}
	return paths
}

func (s *scanFlags) absolute(path string) string {
	if s.options.Root != "" {
		return path
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// cacheDir returns the folder of the cache, "" for none.
func (s *scanFlags) cacheDir() string {
	switch s.cache {
	case "none":
		return ""
	case "":
		dir, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		return filepath.Join(dir, "seccompile", "scan")
	}
	return s.cache
}

// asked returns which arguments of a call a profile tests.
func asked(args bool) (func(arch.ABI, string) uint8, error) {
	abis := []arch.ABI{arch.X86_64, arch.AArch64}
	r, err := record.New(record.Options{Args: args, Reading: policy.Options{ABIs: abis}})
	if err != nil {
		return nil, err
	}
	return func(abi arch.ABI, name string) uint8 {
		call, _ := syscalltables.Lookup(name)
		nr, ok := call.Number(abi)
		if !ok {
			return 0
		}
		return r.Asks(&cbpf.Data{NR: nr, Arch: abi.Audit()})
	}, nil
}

// answerScan writes what was asked for, and the profile.
func (a *app) answerScan(s *scanFlags, res *scan.Result, seen *observed) error {
	a.noteScan(res)
	a.noteCache(s, res)
	var answer error
	switch {
	case s.json:
		if err := a.putJSON(new(output), scanDocument(res, seen)); err != nil {
			return err
		}
		answer = seen.verdict(res)
	case s.why != "":
		answer = a.printWhy(res, s.why)
	case seen != nil:
		a.printObserved(res, seen)
		answer = seen.verdict(res)
	}
	if s.explicit() || !s.json && s.why == "" && seen == nil {
		text, err := s.profile(res, seen)
		if err != nil {
			return err
		}
		if err := a.put(&s.output, text); err != nil {
			return err
		}
	}
	return answer
}

// noteScan says how much was found and what was not.
func (a *app) noteScan(res *scan.Result) {
	sites, reached := 0, 0
	for _, m := range res.Modules {
		sites += m.Sites
		reached += m.Reached
	}
	a.note("scan: %s can make %s, through %s in %s with %s",
		programsText(res), answer.Plural(len(res.Calls), "call"), answer.Plural(reached, "function"), answer.Plural(len(res.Modules), "file"), answer.Plural(sites, "system-call instruction"))
	bounded := 0
	for _, u := range res.Unresolved {
		switch {
		case u.Harm:
			a.warnf("scan: incomplete: %s", u.String())
		case a.verbose:
			a.note("scan: bounded: %s", u.String())
		default:
			bounded++
		}
	}
	if bounded > 0 {
		a.note("scan: %s that nothing in the files decides, but something else bounds; -v lists them", answer.Plural(bounded, "place"))
	}
	var started []string
	for _, e := range res.Executed {
		if len(e.Runs) > 0 && !e.Scanned {
			started = append(started, failure.Shown(e.Name))
		}
	}
	if len(started) > 0 {
		a.note("scan: %s can start %s, which this result does not cover: scan them too, since they run under the same filter", programsText(res), strings.Join(started, ", "))
	}
}

// noteCache says that a scan could not keep what it read. It matters more to those who asked for it.
func (a *app) noteCache(s *scanFlags, res *scan.Result) {
	say := a.note
	if s.cache != "" {
		say = a.warnf
	}
	if res.Unkept != nil {
		say("%v: the next scan reads all files again (--cache DIR keeps what it reads elsewhere, --cache none does without)", res.Unkept)
	}
}

// programsText names the programs of a result, if they are few.
func programsText(res *scan.Result) string {
	if len(res.Programs) > 3 {
		return answer.Plural(len(res.Programs), "program")
	}
	var names []string
	for _, p := range res.Programs {
		name := failure.Shown(p.Path)
		if p.Script != "" {
			name += " (of " + failure.Shown(p.Script) + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, " and ")
}

// printWhy prints the shortest way to a call.
func (a *app) printWhy(res *scan.Result, name string) error {
	found := false
	for _, c := range res.Calls {
		if c.Name != name {
			continue
		}
		found = true
		fmt.Fprintf(a.out, "%s %s (%d)\n", c.ABI, c.Name, c.NR)
		var t table
		for _, step := range c.Chain {
			t.row(plain("  "+step.How, cmp.Or(step.Name, fmt.Sprintf("%#x", step.Addr)), step.Module)...)
		}
		t.print(a.out)
	}
	if !found {
		if why := res.Incomplete(); len(why) > 0 {
			return failure.Nof("scan: no way to %s is found, but the result is incomplete: %s", name, strings.Join(why, "; "))
		}
		return failure.Nof("scan: no program can call %s, as far as scan finds", name)
	}
	return nil
}
