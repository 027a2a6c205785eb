package main

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/compiler/stats"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A target is what flags say about where a filter will run and how a profile is
// read for it.
type target struct {
	abis, caps    []string
	kernel        string
	dialect       string
	enosys        string
	compat        string
	badArch       string
	strictestWins bool
	effort        string
	weights       string
}

// addPlace adds the flags that a profile with conditions is resolved by.
func (t *target) addPlace(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVarP(&t.abis, "abi", "a", nil, "target `ABI`s, such as x86_64,x86 (default: the profile's and the host's)")
	t.addContainer(cmd)
	completeFlag(cmd, "abi", completeABIs)
}

// addContainer adds those of them that are not the ABI.
func (t *target) addContainer(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&t.caps, "cap", []string{"default"},
		"`CAP`s of the container, for profiles with conditions: names, default, none, all (default: Docker's or Podman's)")
	f.Lookup("cap").DefValue = "[]" // has been told
	f.StringVar(&t.kernel, "kernel", "",
		"Linux release `X.Y`, for profiles with conditions (default: the running one, with -a that of the syscall tables)")
	f.StringVar(&t.dialect, "dialect", "", "`FORMAT` of profiles: oci, config, docker or podman (default: what their keys tell)")
	completeFlag(cmd, "cap", completeCaps)
	completeFlag(cmd, "dialect", oneOf("oci", "config", "docker", "podman"))
	completeFlag(cmd, "kernel", oneOf())
}

// addReading adds the flags that say what a profile means.
func (t *target) addReading(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.enosys, "enosys", "profile",
		"`MODE` of ENOSYS for unknown numbers: profile (above its largest), off, kernel:X.Y")
	f.StringVar(&t.compat, "compat", "runc", "`MODE` of reading the profile: runc or strict")
	f.StringVar(&t.badArch, "bad-arch", "kill-thread", "`ACTION` on calls through an ABI that is not a target")
	f.BoolVar(&t.strictestWins, "strictest-wins", false, "of several rules that match, take the strictest, not the first")
	completeFlag(cmd, "enosys", oneOf("profile", "off", "kernel:"))
	completeFlag(cmd, "compat", oneOf("runc", "strict"))
	completeFlag(cmd, "bad-arch", oneOf(actionWords...))
}

// addTuning adds the flags that choose between programs of the same meaning.
func (t *target) addTuning(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.effort, "effort", "fast", "`EFFORT` to look for a better program: fast or exhaustive")
	f.StringVar(&t.weights, "weights", "", "read how often calls are made from `FILE`: a name and a number in each line")
	completeFlag(cmd, "effort", oneOf("fast", "exhaustive"))
}

// tuning returns how a policy is compiled.
func (t *target) tuning() (compiler.Options, error) {
	var o compiler.Options
	switch t.effort {
	case "", "fast":
	case "exhaustive":
		o.Effort = compiler.Exhaustive
	default:
		return o, usagef("--effort: %q is not fast or exhaustive", t.effort)
	}
	weights, err := readWeights(t.weights)
	if err != nil {
		return o, err
	}
	o.Weights = stats.Frequencies(weights)
	return o, nil
}

// place returns what the profile in an input is read for.
func (t *target) place(in *input) (policy.Target, error) {
	abis, err1 := parseABIs(t.abis)
	kernel, err2 := parseKernel(t.kernel)
	format, err3 := parseDialect(t.dialect)
	defaults := policy.DefaultCaps
	if cmp.Or(format, policy.Sniff(in.data)) == policy.FormatPodman {
		defaults = policy.PodmanCaps
	}
	caps, err4 := parseCaps(t.caps, defaults())
	if err := cmp.Or(err1, err2, err3, err4); err != nil {
		return policy.Target{}, err
	}
	if t.kernel == "" && len(abis) == 0 {
		kernel = runningKernel()
	}
	return policy.Target{Format: format, ABI: mainABI(abis), Caps: caps, Kernel: kernel}, nil
}

// parseDialect reads the name of a format, "" for none in particular.
func parseDialect(s string) (policy.Format, error) {
	if s == "" {
		return 0, nil
	}
	f, err := policy.ParseFormat(s)
	return f, flagValue("--dialect", err)
}

// options returns how a profile is resolved.
func (t *target) options() (policy.Options, error) {
	var o policy.Options
	var err1, err2, err3 error
	o.ABIs, err1 = parseABIs(t.abis)
	o.ENOSYS, err2 = policy.ParseENOSYS(t.enosys)
	o.Mode, err3 = policy.ParseMode(t.compat)
	badArch, err4 := parseAction("--bad-arch", t.badArch, cmp.Or(mainABI(o.ABIs), arch.Native()))
	o.BadArch = badArch.action
	o.StrictestWins = t.strictestWins
	return o, cmp.Or(err1, flagValue("--enosys", err2), flagValue("--compat", err3), err4)
}

// A compiled is a profile after all stages.
type compiled struct {
	policy   *policy.Policy
	options  policy.Options
	resolved *policy.Resolved
	program  *cbpf.Program
	warnings []policy.Warning
	result   *compiler.Result
}

// meaning takes an input as far as its meaning.
func (t *target) meaning(in *input) (*compiled, error) {
	place, err1 := t.place(in)
	options, err2 := t.options()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, err
	}
	p, warnings, err := in.policy(place)
	if err != nil {
		return nil, err
	}
	resolved, more, err := policy.Resolve(p, options)
	if err != nil {
		return nil, in.no(err)
	}
	return &compiled{policy: p, options: options, resolved: resolved, warnings: append(warnings, more...)}, nil
}

// compile takes an input through all stages.
func (t *target) compile(in *input) (*compiled, error) {
	tuning, err := t.tuning()
	if err != nil {
		return nil, err
	}
	c, err := t.meaning(in)
	if err != nil {
		return nil, err
	}
	if c.result, err = compiler.Compile(c.resolved, tuning); err != nil {
		return nil, in.no(err)
	}
	c.program = c.result.Program
	return c, nil
}

// resolvedABIs returns the ABIs that a policy is resolved for, in order.
func resolvedABIs(r *policy.Resolved) []arch.ABI {
	var abis []arch.ABI
	for _, s := range r.Spaces {
		abis = append(abis, s.ABIs...)
	}
	return abis
}

func abiList(abis []arch.ABI) []string {
	var names []string
	for _, a := range abis {
		names = append(names, a.String())
	}
	return names
}

// ownABIs returns the ABIs that a profile names, or the host's if it names none.
// Unlike runc's rule they are the same on every host.
func ownABIs(p *policy.Policy) []arch.ABI {
	if len(p.ABIs) == 0 && arch.Native() != 0 {
		return []arch.ABI{arch.Native()}
	}
	return slices.Clone(p.ABIs)
}

// mainABI returns the ABI of the container that a list of target ABIs is for:
// that of the kernel if it is among them, else the first. Of none, it is the
// zero ABI, the host's.
func mainABI(abis []arch.ABI) arch.ABI {
	for _, a := range abis {
		if a.Main() == a {
			return a
		}
	}
	if len(abis) == 0 {
		return 0
	}
	return abis[0]
}

func parseABI(name string) (arch.ABI, error) {
	a, err := arch.Parse(name)
	return a, flagValue("-a", err)
}

// flagValue says that a library does not take the value of a flag.
func flagValue(flag string, err error) error {
	if err == nil {
		return nil
	}
	return usagef("%s: %s", flag, unprefixed(err.Error()))
}

// parseABIs returns the named ABIs, each once.
func parseABIs(names []string) ([]arch.ABI, error) {
	var abis []arch.ABI
	for _, name := range names {
		a, err := parseABI(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(abis, a) {
			abis = append(abis, a)
		}
	}
	return abis, nil
}

func abiNames() []string {
	var names []string
	for a := range arch.All() {
		names = append(names, a.String())
	}
	return names
}

func parseKernel(s string) (syscalltables.Version, error) {
	if s == "" {
		return syscalltables.Version{}, nil
	}
	v, err := syscalltables.ParseVersion(s)
	return v, flagValue("--kernel", err)
}
