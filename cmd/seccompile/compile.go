package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/emit"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
)

func (a *app) compileCommand() *cobra.Command {
	var t targetFlags
	e := outputFormat{formats: append(emit.Formats(), formatArtifact, emit.Snap)}
	var o output
	var s proofFlags
	var presets []string
	cmd := &cobra.Command{
		Use:        "compile [flags] [PROFILE]",
		Short:      "compile a profile to a BPF filter",
		SuggestFor: []string{"build", "gen"},
		Long: `Compile writes a filter that means the same as the profile. It never asks the
running kernel: with -a, the output depends on the profile and the flags alone.

With -a the filter is for exactly those ABIs, which must share a byte order.
Without -a it is for the ABIs of the profile and the host. Calls through any other
ABI get the --bad-arch action.

Profiles in Docker's format have conditions. Compile evaluates them for the main ABI
of the targets' kernel, the capabilities of --cap and the release of --kernel.

With --preset, the filter means the same as those of the presets and that of the
profile, which is loaded last: the strictest answer wins. Without PROFILE the presets
hold alone, on the host's ABI or those of -a.

The raw format is an array of struct sock_filter in the target's byte order, and
nothing else. seccomp(2), bwrap --seccomp and crun's run.oci.seccomp_bpf_data
accept it.

An artifact carries filters to machines that have neither tables nor compiler. It
holds the programs, what they were compiled from and for, their flags and what they
were proved equal to, and with --prove their certificates. With -f artifact, -a may name ABIs of several kernels, as
in x86_64,x86,x32,aarch64,arm; each kernel then gets its own filter. run loads an
artifact, and disasm, eval and others read it; if it has several filters, -a chooses
one. Its first lines are text for people.

The bin2 format is what snap-confine loads for a snap: the filter, and under it one that
allows all calls. A policy that makes no filter is written as unrestricted.

Compile writes nothing that it cannot prove to mean what the profile means, for every
call. With --prove it proves that in a second way, which also finds the faults that
prove warns about. A certificate is a JSON document that states what was proved then;
prove --certificate checks it.`,
		Example: `  seccompile compile -o filter.bpf profile.json
  seccompile compile -a x86_64,x86,x32 -f asm docker-default
  seccompile compile -a s390x --cap default,CAP_SYS_ADMIN --kernel 5.10 docker-default >s390x.bpf
  seccompile compile -a x86_64 --prove --certificate filter.json -o filter.bpf profile.json
  seccompile compile --preset no-network,no-io-uring -f python -o filter.py
  seccompile compile -a aarch64 -f go --package sandbox -o filter_arm64.go config.json
  seccompile compile -a x86_64,x86,x32,aarch64,arm --prove -f artifact -o docker.artifact docker-default`,
		Args:              one("profile"),
		ValidArgsFunction: completeOneProfile,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := cmp.Or(a.checkRaw(&e, &o), s.check(&e)); err != nil {
				return err
			}
			in, err := a.readUnder(presets, first(args))
			if err != nil {
				return err
			}
			if e.format == formatArtifact {
				return a.compileArtifact(&t, &s, &o, in)
			}
			c, err := t.compile(in)
			if err != nil {
				return err
			}
			a.warn(in, c.Warnings)
			certificate, err := a.proof(&s, in, c)
			if err != nil {
				return err
			}
			e.Source = in.Name
			e.ABIs, e.Flags = intake.ABINames(c.Resolved.ABIs()), loaderFlags(c.Policy)
			if err := a.emit(&e, &o, c.Program); err != nil {
				return err
			}
			return a.save(&s, certificate)
		},
	}
	o.add(cmd)
	e.add(cmd)
	addPresets(cmd, &presets)
	t.addPlace(cmd)
	s.add(cmd)
	t.addReading(cmd)
	t.addTuning(cmd)
	return cmd
}

// checkRaw refuses unknown formats, and bytes on a terminal unless -o - asks for them.
func (a *app) checkRaw(e *outputFormat, o *output) error {
	if err := e.check(); err != nil {
		return err
	}
	binary := map[string]string{emit.Raw: "a raw filter", formatArtifact: "an artifact", emit.Snap: "the filters of a snap"}[e.format]
	if binary != "" && !o.explicit() && isTerminal(a.stdout) {
		return failure.Usagef("refusing to write %s to a terminal", binary).
			Hintf("-f asm shows it as text, -o FILE saves it, -o - writes it here anyway (formats: %s)", strings.Join(e.formats, ", "))
	}
	return nil
}
