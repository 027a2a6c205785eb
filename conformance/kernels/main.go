// Command kernels boots Linux kernels of many architectures in qemu. Each of them
// compiles and installs our filters and judges system calls by them, through every
// ABI that it presents; its verdicts must be those of the policy.
//
// It runs in the directory of the module conformance.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/internal/debian"
	"github.com/seccompile/seccompile/conformance/kernels/internal/cases"
)

// options are the command line.
type options struct {
	guests, cache, mirror, only string
	jobs, points, least         int
	timeout, patience           time.Duration
	update, verbose, selftest   bool
}

func main() {
	var o options
	flag.StringVar(&o.guests, "guests", "", "comma-separated guests or architectures, at least one guest of each of which must run; empty means all of Debian's, none of which must")
	flag.StringVar(&o.cache, "cache", "", "directory for kernels; empty means seccompile in the user's cache directory")
	flag.StringVar(&o.mirror, "mirror", "", "Debian mirror; empty means that of this machine's apt")
	flag.StringVar(&o.only, "only", "", "beginning of the names of the checks to do; empty means all")
	flag.IntVar(&o.least, "least", 0, "fail if fewer guests run because kernels cannot be fetched; 0 means half of those asked for")
	flag.DurationVar(&o.patience, "patience", 3*time.Minute, "limit for each download; ten times as long for all together")
	flag.IntVar(&o.jobs, "j", runtime.NumCPU(), "guests to run at a time")
	flag.IntVar(&o.points, "points", 500, "calls to make under each filter through each ABI")
	flag.DurationVar(&o.timeout, "timeout", 9*time.Minute, "limit for each guest's run")
	flag.BoolVar(&o.update, "update", false, "fetch kernels anew")
	flag.BoolVar(&o.verbose, "v", false, "log all of the kernels' messages, and print what guests noted")
	flag.BoolVar(&o.selftest, "selftest", false, "make mistakes in filters, each of which a guest must catch")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(1)
	}
}

// A job is a guest to boot.
type job struct {
	guest  guest
	kernel kernel
	absent error // why it cannot run, nil if it can
	flaw   flaw  // what is wrong with its filters; zero if nothing is
	only   string
}

// name names the job's files.
func (j *job) name() string {
	if j.flaw.fault == cases.None {
		return j.guest.name
	}
	return j.guest.name + "-" + string(j.flaw.fault)
}

func run(ctx context.Context, o options) error {
	jobs, err := plan(o)
	if err != nil {
		return err
	}
	if err := missing(jobs); err != nil {
		return err
	}
	if o.cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		o.cache = filepath.Join(base, "seccompile")
	}
	if err := os.MkdirAll(o.cache, 0o755); err != nil {
		return err
	}
	out := &printer{w: os.Stdout}
	m := &machine{quiet: !o.verbose, timeout: o.timeout}
	st := &store{dir: o.cache, mirror: o.mirror, trust: "Signed-By: " + debian.Keyring, patience: o.patience, say: out.say}
	if err := equip(ctx, o, st, m, jobs); err != nil {
		return err
	}
	if m.dir, err = os.MkdirTemp("", "kernels-"); err != nil {
		return err
	}
	results, err := bootAll(ctx, o, m, jobs, out)
	if err != nil {
		return err
	}
	bad := summary(results, o.verbose, out)
	err = enough(results, o.promised(jobs), o.least)
	if bad > 0 {
		return errors.Join(err, fmt.Errorf("%d of %d guests failed; their consoles are in %s", bad, len(results), m.dir))
	}
	return errors.Join(err, os.RemoveAll(m.dir))
}

// equip finds everything that guests boot with, or why they cannot.
func equip(ctx context.Context, o options, st *store, m *machine, jobs []job) error {
	limit := 10 * o.patience
	fetching, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("fetching did not end in %v (allow more: -patience)", limit))
	defer cancel()
	for i := range jobs {
		j := &jobs[i]
		var err error
		j.kernel, err = st.kernel(fetching, &j.guest, o.update)
		if err == nil && j.guest.native == arch.LoongArch64 {
			m.loong, err = st.loong(fetching)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, new(unavailable)):
			j.absent = err
		case err != nil:
			return fmt.Errorf("%s: %w", j.guest.name, err)
		}
	}
	return nil
}

// plan returns what to boot, without kernels.
func plan(o options) ([]job, error) {
	if o.selftest {
		return flawed()
	}
	chosen, err := choose(o.guests)
	if err != nil {
		return nil, err
	}
	var jobs []job
	for _, g := range chosen {
		jobs = append(jobs, job{guest: g, only: o.only})
	}
	return jobs, nil
}

// missing names the programs that are not installed, with their packages.
func missing(jobs []job) error {
	var programs, packages []string
	add := func(program, pkg string) {
		if _, err := exec.LookPath(program); err != nil {
			programs, packages = append(programs, program), append(packages, pkg)
		}
	}
	for _, j := range jobs {
		add(strings.Fields(j.guest.machine)[0], j.guest.provider)
	}
	if len(programs) == 0 {
		return nil
	}
	for _, list := range []*[]string{&programs, &packages} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return fmt.Errorf("no %s (apt-get install %s)", strings.Join(programs, ", "), strings.Join(packages, " "))
}

// bootAll boots the guests, some at a time, and reports each as it ends.
func bootAll(ctx context.Context, o options, m *machine, jobs []job, out *printer) ([]result, error) {
	build := &builder{dir: m.dir}
	results, errs := make([]result, len(jobs)), make([]error, len(jobs))
	slots := make(chan struct{}, max(1, o.jobs))
	var running sync.WaitGroup
	for i := range jobs {
		j := &jobs[i]
		if j.absent != nil {
			results[i] = result{job: j}
			continue
		}
		slots <- struct{}{}
		files, err := build.programs(ctx, &j.guest)
		if err != nil {
			<-slots
			errs[i] = err
			break
		}
		running.Go(func() {
			defer func() { <-slots }()
			results[i], errs[i] = bootOne(ctx, o, m, j, files, out)
			if errs[i] == nil {
				results[i].progress(out)
			}
		})
	}
	running.Wait()
	return results, errors.Join(errs...)
}

// bootOne boots a guest and judges its session. A guest that ran out of time is booted
// once more, and the first session is told of: an emulated machine stands still while its
// host does, but what is wrong with a filter is wrong again.
func bootOne(ctx context.Context, o options, m *machine, j *job, files programs, out *printer) (result, error) {
	want, err := digests(j.guest.native)
	if err != nil {
		return result{}, err
	}
	initrd := filepath.Join(m.dir, j.name()+".cpio")
	if err := initramfs(initrd, files, j.guest.orders(j.flaw.fault, j.only, o.points)); err != nil {
		return result{}, err
	}
	r := judge(j, m.boot(ctx, &j.guest, j.kernel, initrd, j.name()), want)
	if r.late() && ctx.Err() == nil {
		r.progress(out)
		r.explain(out)
		out.say("again  %s: it ran out of time", j.name())
		r = judge(j, m.boot(ctx, &j.guest, j.kernel, initrd, j.name()+"-again"), want)
	}
	_ = os.Remove(initrd) // to save space; what is left goes with the directory
	return r, ctx.Err()
}
