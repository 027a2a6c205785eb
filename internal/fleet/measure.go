package main

import (
	"errors"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"os"
	"slices"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// measure replaces assumed times by those of Docker's profile on this machine. They
// are times by the clock of work that does not wait.
func (f *fleet) measure() error {
	asked, programs, err := compileAll(preset.Caps("docker"))
	if err != nil {
		return err
	}
	file, err := encode(programs)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var failed error
	keep := func(err error) { failed = errors.Join(failed, err) }

	profile, err := ocijson.Spec(asked)
	if err != nil {
		return err
	}
	o := oci.Options{Policy: policy.Options{ABIs: arch.X86_64.Family()}}
	compile := func(s *specs.LinuxSeccomp, c *oci.Cache) {
		o.Cache = c
		_, err := oci.Compile(s, o)
		keep(err)
	}
	cache := &oci.Cache{Dir: dir + "/cache", Report: keep}
	f.compile = median(func() { compile(profile, nil) })
	errno := uint(1)
	f.store = median(func() {
		another := *profile
		errno++
		another.DefaultErrnoRet = &errno
		compile(&another, cache)
	}) - f.compile
	compile(profile, cache)
	f.hit = median(func() { compile(profile, cache) })

	f.decode = median(func() {
		_, err := artifact.Decode(file)
		keep(err)
	})
	f.prove = median(func() {
		_, _, err := proved(arch.X86_64, preset.Caps("docker"))
		keep(err)
	}) - f.compile
	return failed
}

// median returns the median time of many runs.
func median(run func()) time.Duration {
	const runs = 301
	times := make([]time.Duration, runs)
	for i := range times {
		begin := time.Now()
		run()
		times[i] = time.Since(begin)
	}
	slices.Sort(times)
	return times[runs/2].Round(100 * time.Nanosecond)
}
