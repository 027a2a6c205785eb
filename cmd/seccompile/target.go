package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/bionic"
	"github.com/seccompile/seccompile/language/firecracker"
	"github.com/seccompile/seccompile/language/kafel"
	"github.com/seccompile/seccompile/language/kubernetes"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/language/spo"
	"github.com/seccompile/seccompile/language/systemd"
	"github.com/seccompile/seccompile/language/yaml"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

// A target is the flags that say where a filter will run and how to read a profile for
// it.
type target struct {
	abis, caps    []string
	kernel        string
	languages     []string // as the flag was given, once for each input where there are several
	settings      []string
	root          string
	enosys        string
	compat        string
	badArch       string
	strictestWins bool
	exact         bool
	effort        string
	weights       weights
}

// addPlace adds the flags that resolve the conditions of a profile.
func (t *target) addPlace(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVarP(&t.abis, "abi", "a", nil, "target `ABI`s, such as x86_64,x86 (default: those of the profile and the host)")
	t.addContainer(cmd)
	completeFlag(cmd, "abi", completeABIs)
}

// addContainer adds these flags without -a.
func (t *target) addContainer(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&t.caps, "cap", []string{"default"},
		"container capabilities, used to evaluate includes and excludes: `CAP` names, default, all or none (default: those of Docker or Podman)")
	f.Lookup("cap").DefValue = "[]" // the text above says it
	f.StringVar(&t.kernel, "kernel", "",
		"Linux release `X.Y`, used to evaluate minKernel (default: the running kernel's; with -a, that of the syscall tables)")
	f.StringArrayVar(&t.languages, "language", nil,
		"`LANGUAGE` of the profile, with a version as in systemd@257 where it has some: "+strings.Join(tongueNames(), ", ")+" (default: detected where that is certain)")
	f.StringArrayVar(&t.settings, "set", nil, "a setting `KEY=VALUE` of the language's own tool, such as default-action=trap")
	f.StringVar(&t.root, "root", "", "directory `DIR` that files which the profile includes are in, and at which their absolute names begin (default: the profile's)")
	completeFlag(cmd, "cap", completeCaps)
	completeFlag(cmd, "language", oneOf(languageNames()...))
	completeFlag(cmd, "set", oneOf(settingNames()...))
	completeFlag(cmd, "kernel", oneOf())
}

// addReading adds the flags that say how to read a profile.
func (t *target) addReading(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.enosys, "enosys", "",
		"which unknown numbers get ENOSYS: `MODE` profile (above its largest), kernel:X.Y (newer than that) or off")
	f.Lookup("enosys").DefValue = policy.ENOSYS{}.String()
	f.StringVar(&t.compat, "compat", "runc", "read the profile in `MODE`: as runc, crun, youki or youki@0.6 does, or strict (refuse what runc overlooks)")
	f.StringVar(&t.badArch, "bad-arch", "", "`ACTION` for calls through any other ABI (default: the language's, which is kill-thread for OCI)")
	f.BoolVar(&t.strictestWins, "strictest-wins", false, "if several rules match, apply the strictest, not the first")
	f.BoolVar(&t.exact, "exact", false, "fail if the profile names a call that a target ABI lacks")
	completeFlag(cmd, "enosys", oneOf("profile", "off", "kernel:"))
	completeFlag(cmd, "compat", oneOf(modeNames()...))
	completeFlag(cmd, "bad-arch", oneOf(actionWords...))
}

// addTuning adds the flags that choose between filters with the same meaning.
func (t *target) addTuning(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.effort, "effort", "fast", "how hard to optimise: `EFFORT` fast or exhaustive")
	f.StringVar(&t.weights.path, "weights", "", "optimise for the call frequencies in `FILE`: lines of a call's name and a number")
	annotate(cmd, "weights", readsFile)
	completeFlag(cmd, "effort", oneOf("fast", "exhaustive"))
}

// of returns the flags for one of several inputs: --language may be given once for each. Then
// an input has all settings but those that only the languages of others have.
func (t *target) of(i int) *target {
	one := *t
	if len(t.languages) > 1 {
		one.languages = t.languages[i : i+1]
		one.settings = slices.DeleteFunc(slices.Clone(t.settings), func(s string) bool {
			has := func(language string) bool { return hasSetting(language, s) }
			return !has(t.languages[i]) && slices.ContainsFunc(t.languages, has)
		})
	}
	return &one
}

// tuning returns how to compile a policy.
func (t *target) tuning() (compile.Options, error) {
	var o compile.Options
	switch t.effort {
	case "", "fast":
	case "exhaustive":
		o.Exhaustive = true
	default:
		return o, usagef("--effort: unknown effort %q (known: fast, exhaustive)", t.effort)
	}
	if err := t.weights.read(); err != nil {
		return o, err
	}
	o.Weights = stats.Frequencies(t.weights.list)
	return o, nil
}

// place returns the language of the profile in an input, and what it is read for.
func (t *target) place(in *input) (language.Language, policy.Target, error) {
	abis, err1 := parseABIs(t.abis)
	kernel, err2 := parseKernel(t.kernel)
	lang, err3 := t.tongue(in)
	if runtime := t.runtime(); err3 == nil && runtime != "" {
		l, ok := lang.(ocijson.Language)
		if !ok {
			return nil, policy.Target{}, usagef("--compat %s: %s is in another language than that of container profiles", runtime, in.name)
		}
		l.Runtime = runtime
		lang = l
	}
	engine := "docker"
	if l, ok := lang.(ocijson.Language); ok && cmp.Or(l.Format, ocijson.Detect(in.source)) == ocijson.Podman {
		engine = "podman"
	}
	lang = forTargets(lang, abis)
	caps, err4 := parseCaps(t.caps, preset.Caps(engine))
	if err := cmp.Or(err1, err2, err3, err4, t.include(in, lang)); err != nil {
		return nil, policy.Target{}, err
	}
	if t.kernel == "" && len(abis) == 0 {
		kernel = runningKernel()
	}
	if _, ok := lang.(ocijson.Language); !ok {
		lang = flagged{lang, t}
	}
	return t.under(in, lang), policy.Target{ABI: mainABI(abis), Caps: caps, Kernel: kernel}, nil
}

// A flagged is a language that warns of the flags which mean nothing to it, and refuses
// --strictest-wins where the rules have an order of their own.
type flagged struct {
	language.Language
	flags *target
}

// Read implements [language.Language].
func (l flagged) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	r, err := l.Language.Read(s, t)
	ordered := func(p *policy.Policy) bool { return p.Order == policy.FirstMatch }
	if p := r.Policy; l.flags.strictestWins && p != nil && (ordered(p) || slices.ContainsFunc(p.Older, ordered)) {
		return language.Reading{Warnings: r.Warnings}, policy.Errors{{Kind: policy.Invalid, Reason: "--strictest-wins: in this language, the first rule that matches decides (leave it out)"}}
	}
	ignored := func(flag, value, why string) {
		r.Warnings = append(r.Warnings, policy.Warning{Kind: policy.Ignored, Message: flag + " " + value + " has no effect: " + why + " (leave it out)"})
	}
	conditional, kernels := false, false // what the language has
	switch l.Language.(type) {
	case yaml.Language, kubernetes.Language, spo.Language:
		conditional, kernels = true, true
	case systemd.Language:
		kernels = true
	}
	if !conditional && !slices.Equal(l.flags.caps, []string{"default"}) {
		ignored("--cap", strings.Join(l.flags.caps, ","), "this language has no conditions on capabilities")
	}
	if !kernels && l.flags.kernel != "" {
		ignored("--kernel", l.flags.kernel, "this language has no conditions on kernels")
	}
	if p := r.Policy; p != nil && l.flags.enosys != "" && l.flags.enosys != (policy.ENOSYS{Off: true}).String() {
		enosys, _ := cmp.Or(t.ABI, arch.Native()).Errno("ENOSYS")
		decides := func(p *policy.Policy) bool {
			return l.flags.enosys == (policy.ENOSYS{}).String() && (p.NoBound || p.Order == policy.FirstMatch) ||
				p.Default.Permits(cbpf.WithTracer) || p.Default == cbpf.ErrnoClass && p.DefaultErrno != nil && *p.DefaultErrno == uint(enosys)
		}
		if decides(p) && !slices.ContainsFunc(p.Older, func(p *policy.Policy) bool { return !decides(p) }) {
			ignored("--enosys", l.flags.enosys, "the policy itself says what unknown numbers get")
		}
	}
	return r, err
}

// modeNames lists the words of --compat.
func modeNames() []string {
	return []string{policy.Runc.String(), policy.Strict.String(), ocijson.Crun, ocijson.Youki, ocijson.Youki06}
}

// knownMode reports that a flag names no mode.
func knownMode(flag, word string) error {
	names := modeNames()
	if slices.Contains(names, word) {
		return nil
	}
	return usagef("%s: unknown mode %q (known: %s)", flag, word, strings.Join(names, ", ")).hintNearest(word, names, "")
}

// runtime returns the runtime other than runc that the profile is read like, or "".
func (t *target) runtime() string {
	if _, err := policy.ParseMode(t.compat); err == nil || !slices.Contains(modeNames(), t.compat) {
		return ""
	}
	return t.compat
}

// options returns how to resolve a profile.
func (t *target) options() (policy.Options, error) {
	var o policy.Options
	var err1, err2, err3 error
	o.ABIs, err1 = parseABIs(t.abis)
	o.ENOSYS, err2 = policy.ParseENOSYS(cmp.Or(t.enosys, policy.ENOSYS{}.String()))
	if t.runtime() == "" {
		if o.Mode, err3 = policy.ParseMode(t.compat); err3 != nil {
			err3 = knownMode("--compat", t.compat)
		}
	}
	var err4 error
	if t.badArch != "" {
		var badArch actionPattern
		badArch, err4 = parseAction("--bad-arch", t.badArch, cmp.Or(mainABI(o.ABIs), arch.Native()))
		o.BadArch = badArch.action
	}
	o.StrictestWins, o.Exact = t.strictestWins, t.exact
	return o, cmp.Or(err1, flagValue("--enosys", err2), err3, err4)
}

// A compiled is a profile after all stages.
type compiled struct {
	policy   *policy.Policy
	options  policy.Options
	resolved *policy.Resolved
	program  *cbpf.Program
	warnings []policy.Warning
	result   *proved.Result
	// frequencies are those that the profile states.
	frequencies []stats.Weight
}

// meaning reads and resolves an input.
func (t *target) meaning(in *input) (*compiled, error) {
	lang, place, err1 := t.place(in)
	options, err2 := t.options()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, err
	}
	reading, err := in.policy(lang, place)
	if err != nil {
		return nil, err
	}
	p := reading.Policy
	passes := func(p *policy.Policy) bool { return p.Elsewhere != cbpf.KillThread }
	if t.badArch != "" && options.BadArch == cbpf.KillThread && (passes(p) || slices.ContainsFunc(p.Older, passes)) {
		return nil, usagef("--bad-arch %s: %s says itself what calls through other ABIs get", t.badArch, in.name).hintf("kill-process overrides it")
	}
	resolved, more, err := policy.Resolve(p, options)
	if err != nil {
		return nil, in.no(err)
	}
	c := &compiled{policy: p, options: options, resolved: resolved, warnings: append(reading.Warnings, more...)}
	for _, call := range slices.Sorted(maps.Keys(reading.Frequencies)) {
		c.frequencies = append(c.frequencies, stats.Weight{Call: call, Weight: float64(reading.Frequencies[call])})
	}
	return c, nil
}

// compile reads, resolves and compiles an input.
func (t *target) compile(in *input) (*compiled, error) {
	tuning, err := t.tuning()
	if err != nil {
		return nil, err
	}
	c, err := t.meaning(in)
	if err != nil {
		return nil, err
	}
	if t.weights.path == "" && len(c.frequencies) > 0 {
		tuning.Weights = stats.Frequencies(c.frequencies)
	}
	if c.result, err = proved.Compile(c.resolved, tuning); err != nil {
		return nil, in.no(err)
	}
	c.program, c.warnings = c.result.Program, append(c.warnings, c.result.Warnings...)
	return c, nil
}

func abiList(abis []arch.ABI) []string {
	var names []string
	for _, a := range abis {
		names = append(names, a.String())
	}
	return names
}

// forTargets returns a language, told which ABIs a policy is for if that is not up to its
// text: none leave it to the kernel of the policy's target.
func forTargets(lang language.Language, abis []arch.ABI) language.Language {
	switch l := lang.(type) {
	case flagged:
		l.Language = forTargets(l.Language, abis)
		return l
	case stacked:
		l.Language = forTargets(l.Language, abis)
		return l
	case kafel.Language:
		l.Targets = abis
		return l
	case bionic.Language:
		l.Targets = abis
		return l
	case firecracker.Language:
		l.Targets = abis
		return l
	}
	return lang
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
	if err == nil || !strings.Contains(err.Error(), "known: ") {
		return a, flagValue("-a", err)
	}
	known := abiNames()
	for a := range arch.All() {
		known = append(known, nonempty(a.GOARCH())...)
	}
	return 0, usagef("-a: %s", unprefixed(err.Error())).hintNearest(name, known, "Go's names, such as amd64, and AUDIT_ARCH values, such as c000003e, are taken too")
}

// flagValue reports that a library refuses the value of a flag.
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
