package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) compileCommand() *cobra.Command {
	var t target
	e := emission{formats: append(slices.Clone(formats), formatArtifact)}
	var o output
	var s surety
	cmd := &cobra.Command{
		Use:   "compile [flags] [PROFILE]",
		Short: "turn a profile into a filter",
		Long: `Compile turns a profile into the filter that means the same. It never asks the
running kernel: with -a the output depends on the profile and the flags alone.

With -a the filter is for exactly those ABIs, which must share a byte order;
without it for the profile's ABIs and the host's. Calls through any other ABI
get the --bad-arch action.

Docker-format profiles have conditions. They are resolved for the ABI of the
kernel that presents the targets, the capabilities of --cap and the release of
--kernel.

The raw format is the array of struct sock_filter that seccomp(2), bwrap
--seccomp and crun's run.oci.seccomp_bpf_data take, in the target's byte order
and nothing else.

An artifact carries filters to machines without tables or compiler: the programs,
what they were made of and for, their flags, and with --prove what was proved.
There -a may name ABIs of several kernels, as in x86_64,x86,x32,aarch64,arm; each
kernel gets a filter of its own. run loads an artifact, and disasm, eval and others
read it, by -a if it has several filters. Its first lines are text for people.

With --prove nothing is written unless the filter is proved to mean what the
profile does, and has no fault that prove would warn of. A certificate is a JSON
document of what was proved, for prove --certificate to check.`,
		Example: `  seccompile compile -o filter.bpf profile.json
  seccompile compile -a x86_64,x86,x32 -f asm docker-default
  seccompile compile -a s390x --cap default,CAP_SYS_ADMIN --kernel 5.10 docker-default >s390x.bpf
  seccompile compile -a x86_64 --prove --certificate filter.json -o filter.bpf profile.json
  seccompile compile -a aarch64 -f go --package sandbox -o filter_arm64.go config.json
  seccompile compile -a x86_64,x86,x32,aarch64,arm --prove -f artifact -o docker.artifact docker-default`,
		Args:              one("profile"),
		ValidArgsFunction: completeOneProfile,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := cmp.Or(a.checkRaw(&e, &o), s.check(&e, &o)); err != nil {
				return err
			}
			in, err := a.read(first(args))
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
			a.warn(in, c.warnings)
			certificate, err := s.proof(in, c)
			if err != nil {
				return err
			}
			e.source = in.name
			e.abis = abiList(resolvedABIs(c.resolved))
			if err := a.emit(&e, &o, c.program); err != nil {
				return err
			}
			return a.save(&s, certificate)
		},
	}
	t.addPlace(cmd)
	t.addReading(cmd)
	t.addTuning(cmd)
	s.add(cmd)
	e.add(cmd)
	o.add(cmd)
	return cmd
}

// checkRaw refuses to write bytes to a terminal unless -o - asks for it, and
// formats that do not exist.
func (a *app) checkRaw(e *emission, o *output) error {
	if err := e.check(); err != nil {
		return err
	}
	binary := map[string]string{formatRaw: "a raw filter", formatArtifact: "an artifact"}[e.format]
	if binary != "" && !o.explicit() && isTerminal(a.stdout) {
		return usagef("%s is no sight for a terminal", binary).
			hintf("-f asm shows it, -o FILE saves it, -o - writes it here all the same (formats: %s)", strings.Join(e.formats, ", "))
	}
	return nil
}
