package main

import "github.com/spf13/cobra"

func (a *app) resolveCommand() *cobra.Command {
	var t target
	var o output
	cmd := &cobra.Command{
		Use:   "resolve [flags] [PROFILE]",
		Short: "print the plain OCI profile that a Docker or Podman profile stands for",
		Long: `Resolve prints the runtime-spec profile (linux.seccomp) that a profile in Docker's
or Podman's format stands for on one target: an ABI, a capability set and a
kernel release. Nothing is taken from the host when -a is given. A profile
without conditions, or the one in a config.json, is printed as it is understood.`,
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
			place, err := t.place(in)
			if err != nil {
				return err
			}
			p, warnings, err := in.policy(place)
			if err != nil {
				return err
			}
			a.warn(in, warnings)
			return a.putJSON(&o, p.OCI())
		},
	}
	t.addPlace(cmd)
	o.add(cmd)
	return cmd
}
