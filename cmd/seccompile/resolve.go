package main

import (
	"github.com/spf13/cobra"

	ocijson "github.com/seccompile/seccompile/language/oci"
)

func (a *app) resolveCommand() *cobra.Command {
	var t targetFlags
	var o output
	cmd := &cobra.Command{
		Use:        "resolve [flags] [PROFILE]",
		Short:      "convert a Docker or Podman profile to a plain OCI profile",
		SuggestFor: []string{"flatten"},
		Long: `Resolve converts a profile in Docker's or Podman's format to the runtime-spec
profile (linux.seccomp) that it stands for on one target: an ABI, a capability set and
a kernel release. With -a, the result does not depend on the host. Resolve prints a
profile without conditions, or the one in a config.json, as seccompile understands it.`,
		Example: `  seccompile resolve docker-default
  seccompile resolve -a s390x --cap none --kernel 4.4 docker-default
  seccompile resolve -a aarch64 --cap default,SYS_ADMIN custom.json >resolved.json`,
		Args:              one("profile"),
		ValidArgsFunction: completeOneProfile,
		RunE: func(_ *cobra.Command, args []string) error {
			in, err := a.read(first(args))
			if err != nil {
				return err
			}
			lang, place, err := t.Place(in)
			if err != nil {
				return err
			}
			reading, err := in.Read(lang, place)
			if err != nil {
				return err
			}
			a.warn(in, reading.Warnings)
			spec, err := ocijson.Spec(reading.Policy)
			if err != nil {
				return in.No(err)
			}
			return a.putJSON(&o, spec)
		},
	}
	t.addPlace(cmd)
	o.add(cmd)
	return cmd
}
