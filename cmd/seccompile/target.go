package main

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
)

// The targetFlags are the flags that say where a filter will run and how to read a profile
// for it.
type targetFlags struct {
	intake.Target
	weightsFile string
}

// addPlace adds the flags that resolve the conditions of a profile.
func (t *targetFlags) addPlace(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVarP(&t.ABIs, "abi", "a", nil, "target `ABI`s, such as x86_64,x86 (default: those of the profile and the host)")
	t.addContainer(cmd)
	completeFlag(cmd, "abi", completeABIs)
}

// addContainer adds these flags without -a.
func (t *targetFlags) addContainer(cmd *cobra.Command) {
	t.Host = thisHost()
	f := cmd.Flags()
	f.StringSliceVar(&t.Caps, "cap", []string{"default"},
		"container capabilities, used to evaluate includes and excludes: `CAP` names, default, all or none (default: those of Docker or Podman)")
	f.Lookup("cap").DefValue = "[]" // the text above says it
	f.StringVar(&t.Kernel, "kernel", "",
		"Linux release `X.Y`, used to evaluate minKernel (default: the running kernel's; with -a, that of the syscall tables)")
	f.StringArrayVar(&t.Languages, "language", nil,
		"`LANGUAGE` of the profile, with a version as in systemd@257 where it has some: "+strings.Join(intake.LanguageNames(), ", ")+" (default: detected where that is certain)")
	f.StringArrayVar(&t.Settings, "set", nil, "a setting `KEY=VALUE` of the language's own tool, such as default-action=trap")
	f.StringVar(&t.Root, "root", "", "directory `DIR` that files which the profile includes are in, and at which their absolute names begin (default: the profile's)")
	completeFlag(cmd, "cap", completeCaps)
	completeFlag(cmd, "language", oneOf(intake.LanguageVersions()...))
	completeFlag(cmd, "set", oneOf(intake.SettingNames()...))
	completeFlag(cmd, "kernel", oneOf())
}

// addReading adds the flags that say how to read a profile.
func (t *targetFlags) addReading(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.ENOSYS, "enosys", "",
		"which unknown numbers get ENOSYS: `MODE` profile (above its largest), kernel:X.Y (newer than that) or off")
	f.Lookup("enosys").DefValue = policy.ENOSYS{}.String()
	f.StringVar(&t.Compat, "compat", "runc", "read the profile in `MODE`: as runc, crun, youki or youki@0.6 does, or strict (refuse what runc overlooks)")
	f.StringVar(&t.BadArch, "bad-arch", "", "`ACTION` for calls through any other ABI (default: the language's, which is kill-thread for OCI)")
	f.BoolVar(&t.StrictestWins, "strictest-wins", false, "if several rules match, apply the strictest, not the first")
	f.BoolVar(&t.Exact, "exact", false, "fail if the profile names a call that a target ABI lacks")
	completeFlag(cmd, "enosys", oneOf("profile", "off", "kernel:"))
	completeFlag(cmd, "compat", oneOf(intake.ModeNames()...))
	completeFlag(cmd, "bad-arch", oneOf(intake.ActionWords...))
}

// addTuning adds the flags that choose between filters with the same meaning.
func (t *targetFlags) addTuning(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.Effort, "effort", "fast", "how hard to optimise: `EFFORT` fast or exhaustive")
	f.StringVar(&t.weightsFile, "weights", "", "optimise for the call frequencies in `FILE`: lines of a call's name and a number")
	annotate(cmd, "weights", readsFile)
	completeFlag(cmd, "effort", oneOf("fast", "exhaustive"))
}

// readWeights reads the file that --weights names, if there is one, once: it may be a pipe.
func (t *targetFlags) readWeights() error {
	if t.weightsFile == "" || t.Weights != (intake.Weights{}) {
		return nil
	}
	text, err := readFile(t.weightsFile)
	if err != nil {
		return unreadable(t.weightsFile, err)
	}
	t.Weights = intake.Weights{Name: failure.Shown(t.weightsFile), Text: string(text)}
	return nil
}

// tuning returns how to compile a policy.
func (t *targetFlags) tuning() (compile.Options, error) {
	if err := t.readWeights(); err != nil {
		return compile.Options{}, err
	}
	return t.Target.Tuning()
}

// compile reads, resolves and compiles an input.
func (t *targetFlags) compile(in *intake.Input) (*intake.Compiled, error) {
	if err := t.readWeights(); err != nil {
		return nil, err
	}
	return t.Target.Compile(in)
}

// thisHost is the machine that the command runs on.
func thisHost() intake.Host {
	return intake.Host{Kernel: runningKernel, Include: include}
}

// include lets an input include files: those of its own directory, or of root, if that is not
// "". If it may be outside of root, files of root are all that it can name.
func include(in *intake.Input, root string, outside bool) error {
	if outside && root != "" {
		dir, err := os.OpenRoot(root)
		if err != nil {
			return inaccessible(root, err, "--root takes a directory")
		}
		in.Source = in.Source.In(dir.FS(), filepath.Base(in.Path))
		return nil
	}
	if _, err := os.Stat(in.Path); err != nil || root == "" && in.Kind != intake.KindProfile {
		return nil // what is not a file, such as docker-default, includes nothing
	}
	at := root
	if at == "" {
		at = filepath.Dir(in.Path)
	}
	absolute, err1 := filepath.Abs(at)
	file, err2 := filepath.Abs(in.Path)
	if err1 != nil || err2 != nil {
		return nil
	}
	name, err := filepath.Rel(absolute, file)
	if err != nil || !filepath.IsLocal(name) {
		return failure.Usagef("--root %s: %s is not in it", failure.Shown(root), in.Name)
	}
	dir, err := os.OpenRoot(at)
	if err != nil {
		return unreadable(at, err)
	}
	in.Source = in.Source.In(dir.FS(), filepath.ToSlash(name)) // the root stays open for it
	return nil
}

// checkLanguages finds mistakes in the languages that --language names, which count for a
// profile but not for a filter.
func checkLanguages(cmd *cobra.Command) error {
	flag := cmd.Flags().Lookup("language")
	if flag == nil {
		return nil
	}
	names, err := cmd.Flags().GetStringArray(flag.Name)
	for _, name := range names {
		_, wrong := intake.LanguageNamed("--language", name, "--set", nil)
		err = cmp.Or(err, wrong)
	}
	return err
}
