package main

import (
	"errors"
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
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
)

// A confinement is what the flags of run say.
type confinement struct {
	target
	profile   string
	compiling []string // the flags given that say how to compile
	keepPrivs bool
}

func (a *app) runCommand() *cobra.Command {
	var r confinement
	cmd := &cobra.Command{
		Use:   "run [flags] [--] COMMAND [ARG...]",
		Short: "run a program under a profile",
		Long: `Run compiles a profile for this host, puts the filter in force and executes a
program in its own place. Without --profile the profile is Docker's. An artifact
(compile -f artifact) is loaded as it is.

It sets no_new_privs, so neither root nor privileges are needed, and set-user-ID
programs gain none. With --keep-privs it does not, which takes CAP_SYS_ADMIN.

Profiles that notify a listener are refused: nobody would answer.`,
		Example: `  seccompile run -- sh -c 'unshare -U true'
  seccompile run --profile profile.json -- ./server --port 8080
  seccompile run --cap default,CAP_SYS_ADMIN -- unshare -m true`,
		Annotations:       map[string]string{ownStatus: "yes"},
		ValidArgsFunction: completeProgram,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("run: no command").hintf("seccompile run -- sh -c 'unshare -U'")
			}
			cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
				if f.Changed && f.Name != "profile" && f.Name != "keep-privs" {
					r.compiling = append(r.compiling, f.Name)
				}
			})
			return a.run(&r, args)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVarP(&r.profile, "profile", "p", dockerDefault, "the `PROFILE` or artifact")
	f.BoolVar(&r.keepPrivs, "keep-privs", false, "leave no_new_privs as it is")
	r.addPlace(cmd)
	r.addReading(cmd)
	r.addTuning(cmd)
	completeFlag(cmd, "profile", completeProfile)
	return cmd
}

func completeProgram(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// run confines this process and becomes the program. It returns only if that
// fails.
func (a *app) run(r *confinement, args []string) error {
	in, err := a.read(r.profile)
	if err != nil {
		return err
	}
	f, err := a.confining(r, in)
	if err != nil {
		return err
	}
	path, err := lookProgram("run", args[0])
	if err != nil {
		return err
	}
	return become(f.Program, loader.Options{ThisThread: true, KeepPrivs: r.keepPrivs, Flags: f.Flags}, path, args)
}

// confining returns the filter to run under.
func (a *app) confining(r *confinement, in *input) (*oci.Filter, error) {
	if in.kind == kindArtifact {
		return r.confiningArtifact(in)
	}
	c, err := r.compile(in)
	if err != nil {
		return nil, err
	}
	a.warn(in, c.warnings)
	if err := runnable("run", c); err != nil {
		return nil, err
	}
	flags, err := loaderFlags(c.policy)
	return &oci.Filter{Program: c.program, Flags: flags}, err
}

func (r *confinement) confiningArtifact(in *input) (*oci.Filter, error) {
	if len(r.compiling) > 0 {
		return nil, usagef("run: --%s: the filters of %s are compiled", r.compiling[0], in.name).
			hintf("give the flag to seccompile compile, or run the profile itself")
	}
	file, err := artifact.Decode(in.data)
	if err != nil {
		return nil, in.no(err)
	}
	f, err := oci.FromArtifact(file)
	if err != nil {
		return nil, in.no(err)
	}
	if f.Program.Returns(cbpf.Notify) {
		return nil, silent("run")
	}
	return f, nil
}

// runnable finds out what makes a filter useless for a program on this host. verb
// is the command that wants to run it.
func runnable(verb string, c *compiled) error {
	if c.program.Returns(cbpf.Notify) {
		return silent(verb)
	}
	if abis := resolvedABIs(c.resolved); !slices.Contains(abis, arch.Native()) {
		return usagef("%s: the filter is for %s and this host's ABI is %s", verb, strings.Join(abiList(abis), ", "), arch.Native()).
			hintf("add %s to -a, or leave -a out", arch.Native())
	}
	return nil
}

// silent refuses a filter that needs a listener.
func silent(verb string) error {
	return usagef("%s: the profile notifies a listener, and there is none", verb).
		hintf("replace its SCMP_ACT_NOTIFY actions, or use a runtime that has an agent at listenerPath")
}

// loaderFlags returns the filter flags that a profile asks for. TSYNC is left out:
// the thread that executes the program is the only one that survives it.
func loaderFlags(p *policy.Policy) ([]loader.Flag, error) {
	if p.Flags == nil {
		return nil, nil
	}
	flags := []loader.Flag{}
	for _, name := range p.Flags {
		f, err := loader.ParseFlag(name)
		if err != nil {
			return nil, err
		}
		if f != loader.TSync {
			flags = append(flags, f)
		}
	}
	return flags, nil
}

// lookProgram finds a program as execvp(3) does. verb is the command that wants it.
func lookProgram(verb, name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil || errors.Is(err, exec.ErrDot) {
		return path, nil
	}
	cannot := func(path string, err error) error {
		return &failure{code: exitCannotExec, err: errors.New(verb + ": " + shown(path) + ": " + err.Error())}
	}
	if strings.Contains(name, "/") {
		info, serr := os.Stat(name)
		switch {
		case serr == nil && info.IsDir():
			return "", cannot(name, errors.New("is a directory"))
		case serr == nil || errors.Is(serr, fs.ErrPermission):
			return "", cannot(name, fs.ErrPermission)
		}
		return "", &failure{code: exitNotFound, err: errors.New(verb + ": " + shown(name) + ": no such program")}
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return "", cannot(path, fs.ErrPermission)
		}
	}
	return "", &failure{code: exitNotFound, err: errors.New(verb + ": " + shown(name) + ": no such program in PATH")}
}
