package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
)

// The runFlags are the flags of run.
type runFlags struct {
	targetFlags
	profiles  []string // the oldest first
	presets   []string
	compiling []string // the flags given that say how to compile
	keepPrivs bool
	unproved  bool
}

func (a *app) runCommand() *cobra.Command {
	var r runFlags
	cmd := &cobra.Command{
		Use:        "run [flags] [--] COMMAND [ARG...]",
		Short:      "run a program under a profile",
		SuggestFor: []string{"confine", "exec", "install", "load"},
		Long: `Run compiles a profile for this host, installs the filter and replaces itself with
COMMAND (execve). Without --profile and --preset it uses Docker's profile.

It also installs what compile wrote: the filter of an artifact that is for this host's
ABI, unless it was not proved and you do not give --unproved; or a filter as raw bytes
or assembly, which nobody can tell whether it was proved. It notes what it installed.
With several -p it installs one filter for each, in this order, as a stack; then the
strictest answer wins. All but the last must allow the calls that install the next.
The presets of --preset are one filter, and with -p the oldest of the stack.

Run sets no_new_privs, so it needs neither root nor other privileges, and set-user-ID
programs gain none. With --keep-privs it does not set no_new_privs and needs
CAP_SYS_ADMIN.

Run refuses profiles that notify a listener: nobody would answer.`,
		Example: `  seccompile run -- sh -c 'unshare -U true'
  seccompile run --preset no-network,no-new-namespaces -- ./build.sh
  seccompile run --profile profile.json -- ./server --port 8080
  seccompile run -p oldest.bpf -p newest.bpf -- ./server
  seccompile run --cap default,CAP_SYS_ADMIN -- unshare -m true`,
		Annotations:       map[string]string{ownStatus: "yes"},
		ValidArgsFunction: completeProgram,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return failure.Usagef("run: no command given").Hintf("for example: seccompile run -- sh -c 'unshare -U'")
			}
			cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
				if f.Changed && f.Name != "profile" && f.Name != "preset" && f.Name != "keep-privs" && f.Name != "unproved" {
					r.compiling = append(r.compiling, f.Name)
				}
			})
			if len(r.presets) > 0 {
				presets := intake.PresetPrefix + strings.Join(r.presets, ",")
				if !cmd.Flags().Changed("profile") {
					r.profiles = nil
				}
				r.profiles = append([]string{presets}, r.profiles...)
			}
			return a.run(&r, args)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringArrayVarP(&r.profiles, "profile", "p", []string{intake.DockerDefault}, "`PROFILE`, artifact or filter to run under; several are a stack, the oldest first")
	f.Lookup("profile").DefValue = intake.DockerDefault
	addPresets(cmd, &r.presets)
	r.addPlace(cmd)
	f.BoolVar(&r.keepPrivs, "keep-privs", false, "do not set no_new_privs")
	f.BoolVar(&r.unproved, "unproved", false, "accept a filter from an artifact that was not proved")
	r.addReading(cmd)
	r.addTuning(cmd)
	completeFlag(cmd, "profile", completeProfile)
	return cmd
}

func completeProgram(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// A confinement is a filter to run under.
type confinement struct {
	name    string // of the file that it is from
	program *cbpf.Program
	flags   []cbpf.Flag
	loaded  string // a word on it
}

// run confines this process and becomes the program. It returns only on failure.
func (a *app) run(r *runFlags, args []string) error {
	var stack []*confinement
	for _, name := range r.profiles {
		in, err := a.read(name)
		if err != nil {
			return err
		}
		c, err := a.confining(r, in)
		if err != nil {
			return err
		}
		c.name = in.Name
		stack = append(stack, c)
		if in.Kind != intake.KindProfile || len(r.profiles) > 1 {
			a.note("%s: %s", in.Name, c.loaded)
		}
	}
	path, err := lookProgram("run", args[0])
	if err != nil {
		return err
	}
	return become(stack, r.keepPrivs, path, args)
}

// confining returns the filter to run under.
func (a *app) confining(r *runFlags, in *intake.Input) (*confinement, error) {
	switch in.Kind {
	case intake.KindArtifact:
		return r.confiningArtifact(in)
	case intake.KindFilter, intake.KindAssembly, intake.KindSnap:
		return r.confiningFilter(in)
	}
	c, err := r.compile(in)
	if err != nil {
		return nil, err
	}
	a.warn(in, c.Warnings)
	if err := runnable("run", c); err != nil {
		return nil, err
	}
	return &confinement{
		program: c.Program, flags: loaderFlags(c.Policy),
		loaded: fmt.Sprintf("compiled to a filter of %s", answer.Plural(c.Program.Len(), "instruction")),
	}, nil
}

// confiningFilter returns a filter that is already compiled. The file does not say which
// profile it is for.
func (r *runFlags) confiningFilter(in *intake.Input) (*confinement, error) {
	if err := r.compiled(in); err != nil {
		return nil, err
	}
	native := arch.Native()
	p, err := in.Program()
	if err != nil {
		return nil, err
	}
	if p.Order() != native.ByteOrder() {
		return nil, failure.Usagef("run: the filter in %s is %s-endian, but this host is %s-endian", in.Name, intake.OrderName(p.Order()), intake.OrderName(native.ByteOrder())).
			Hintf("compile it for this host's ABI: -a %v", native)
	}
	if known := stats.Known(p); len(known) > 0 && !slices.Contains(known, native) {
		return nil, failure.Usagef("run: the filter in %s is for %s, but this host's ABI is %v", in.Name, strings.Join(intake.ABINames(known), ", "), native).
			Hintf("compile it for this host's ABI: -a %v", native)
	}
	if p.Returns(cbpf.Notify) {
		return nil, silent("run")
	}
	return &confinement{program: p, loaded: fmt.Sprintf("a filter of %s, which was not proved", answer.Plural(p.Len(), "instruction"))}, nil
}

// compiled refuses flags that say how to compile, for a file with filters.
func (r *runFlags) compiled(in *intake.Input) error {
	if len(r.compiling) == 0 {
		return nil
	}
	return failure.Usagef("run: --%s: %s is already compiled", r.compiling[0], in.Name).
		Hintf("give the flag to seccompile compile, or run the profile itself")
}

func (r *runFlags) confiningArtifact(in *intake.Input) (*confinement, error) {
	if err := r.compiled(in); err != nil {
		return nil, err
	}
	file, err := artifact.Decode(in.Data)
	if err != nil {
		return nil, in.No(err)
	}
	f, err := oci.FromArtifact(file)
	proved := "proved when it was compiled"
	switch {
	case errors.Is(err, artifact.ErrUnproved) && r.unproved:
		_, p, err := in.Artifact([]string{arch.Native().String()})
		if err != nil {
			return nil, err
		}
		f = &oci.Filter{Program: p.Filter, Flags: p.Flags}
		proved = "which was not proved"
	case errors.Is(err, artifact.ErrUnproved):
		return nil, in.No(err).Hintf("--unproved runs under it all the same")
	case err != nil:
		return nil, in.No(err)
	}
	if f.Program.Returns(cbpf.Notify) {
		return nil, silent("run")
	}
	return &confinement{
		program: f.Program, flags: f.Flags,
		loaded: fmt.Sprintf("the filter for %v of %s, %s", arch.Native(), answer.Plural(f.Program.Len(), "instruction"), proved),
	}, nil
}

// runnable returns an error if a program cannot run under the filter on this host. verb is
// the command that is to run it.
func runnable(verb string, c *intake.Compiled) error {
	if c.Program.Returns(cbpf.Notify) {
		return silent(verb)
	}
	if abis := c.Resolved.ABIs(); !slices.Contains(abis, arch.Native()) {
		return failure.Usagef("%s: the filter is for %s, but this host's ABI is %s", verb, strings.Join(intake.ABINames(abis), ", "), arch.Native()).
			Hintf("add %s to -a, or omit -a", arch.Native())
	}
	return nil
}

// silent refuses a filter that needs a listener.
func silent(verb string) error {
	return failure.Usagef("%s: the profile notifies a listener, but there is none", verb).
		Hintf("replace the actions that notify (SCMP_ACT_NOTIFY in OCI's words), or use a runtime that gives the listener to an agent")
}

// loaderFlags returns the filter flags that a profile asks for, without TSYNC: only the
// thread that executes the program survives execve.
func loaderFlags(p *policy.Policy) []cbpf.Flag {
	return slices.DeleteFunc(slices.Clone(p.Flags), func(f cbpf.Flag) bool { return f == cbpf.TSync })
}

// lookProgram finds a program as execvp(3) does. verb is the command that runs it.
func lookProgram(verb, name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil || errors.Is(err, exec.ErrDot) {
		return path, nil
	}
	cannot := func(path string, err error) error {
		return &failure.Error{Status: exitCannotExec, Err: errors.New(verb + ": " + failure.Shown(path) + ": " + err.Error())}
	}
	missing := func(where string) error {
		f := &failure.Error{Status: exitNotFound, Err: errors.New(verb + ": " + failure.Shown(name) + ": no such program" + where)}
		if name == intake.DockerDefault {
			return f.Hintf("run and trace take the profile with -p, record with --base")
		}
		return f
	}
	if strings.Contains(name, "/") {
		info, serr := os.Stat(name)
		switch {
		case serr == nil && info.IsDir():
			return "", cannot(name, errors.New("is a directory"))
		case serr == nil || errors.Is(serr, fs.ErrPermission):
			return "", cannot(name, fs.ErrPermission)
		}
		return "", missing("")
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return "", cannot(path, fs.ErrPermission)
		}
	}
	return "", missing(" in PATH")
}
