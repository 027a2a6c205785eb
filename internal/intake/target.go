package intake

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/failure"
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

// A Target says where a filter will run and how to read a profile for it. Its fields are the
// flags of the command, in the command's words; the zero Target has their defaults.
type Target struct {
	ABIs          []string // target ABIs; none: those of the profile and the host
	Caps          []string // capabilities, and the words default, all and none; nil: default
	Kernel        string   // Linux release X.Y; "": the host's, or with ABIs that of the tables
	Languages     []string // of the profile, once for each input where there are several; none: detected
	Settings      []string // KEY=VALUE of the language's own tool
	Root          string   // the directory of files that a profile includes; "": the profile's
	ENOSYS        string   // which unknown numbers get ENOSYS: profile, kernel:X.Y or off; "": profile
	Compat        string   // the reader to be like; "": runc
	BadArch       string   // the action for calls through other ABIs; "": the language's
	StrictestWins bool     // of several rules that match
	Exact         bool     // refuse names of calls that an ABI lacks
	Effort        string   // fast or exhaustive; "": fast
	Weights       Weights  // to optimise for
	Host          Host     // what there is to read besides the input
}

// A Host is what reading a profile takes from the machine that it happens on. The zero Host
// has no files and no kernel.
type Host struct {
	// Kernel returns the release of the running kernel, zero if it is unknown.
	Kernel func() syscalltables.Version
	// Include lets the source of an input include files, those of the directory root if that is
	// not "". An input that may be outside of root names all files by their place in it.
	Include func(in *Input, root string, outside bool) error
	// Accept returns an error for what the machine cannot compile. nil accepts everything.
	Accept func(r *policy.Resolved) error
}

// Of returns the flags for one of several inputs: --language may be given once for each. Then
// an input has all settings but those that only the languages of others have.
func (t *Target) Of(i int) *Target {
	one := *t
	if len(t.Languages) > 1 {
		one.Languages = t.Languages[i : i+1]
		one.Settings = slices.DeleteFunc(slices.Clone(t.Settings), func(s string) bool {
			has := func(language string) bool { return hasSetting(language, s) }
			return !has(t.Languages[i]) && slices.ContainsFunc(t.Languages, has)
		})
	}
	return &one
}

// Tuning returns how to compile a policy.
func (t *Target) Tuning() (compile.Options, error) {
	var o compile.Options
	switch t.Effort {
	case "", "fast":
	case "exhaustive":
		o.Exhaustive = true
	default:
		return o, failure.Usagef("--effort: unknown effort %q (known: fast, exhaustive)", t.Effort)
	}
	weights, err := t.Weights.Parse()
	o.Weights = stats.Frequencies(weights)
	return o, err
}

// Place returns the language of the profile in an input, and what it is read for.
func (t *Target) Place(in *Input) (language.Language, policy.Target, error) {
	abis, err1 := ParseABIs(t.ABIs)
	kernel, err2 := parseKernel(t.Kernel)
	lang, err3 := t.tongue(in)
	if runtime := t.Runtime(); err3 == nil && runtime != "" {
		l, ok := lang.(ocijson.Language)
		if !ok {
			return nil, policy.Target{}, failure.Usagef("--compat %s: %s is in another language than that of container profiles", runtime, in.Name)
		}
		l.Runtime = runtime
		lang = l
	}
	engine := "docker"
	if l, ok := lang.(ocijson.Language); ok && cmp.Or(l.Format, ocijson.Detect(in.Source)) == ocijson.Podman {
		engine = "podman"
	}
	lang = ForTargets(lang, abis)
	caps, err4 := parseCaps(t.Caps, preset.Caps(engine))
	if err := cmp.Or(err1, err2, err3, err4, t.include(in, lang)); err != nil {
		return nil, policy.Target{}, err
	}
	if t.Kernel == "" && len(abis) == 0 && t.Host.Kernel != nil {
		kernel = t.Host.Kernel()
	}
	if _, ok := lang.(ocijson.Language); !ok {
		lang = flagged{lang, t}
	}
	return t.under(in, lang), policy.Target{ABI: MainABI(abis), Caps: caps, Kernel: kernel}, nil
}

// include lets an input include files of the host. A Pod names files of the root, and need not
// be in it.
func (t *Target) include(in *Input, l language.Language) error {
	if t.Host.Include == nil {
		return nil
	}
	_, pod := l.(kubernetes.Language)
	return t.Host.Include(in, t.Root, pod)
}

// DefaultCaps reports whether the capabilities are those that an engine gives by default.
func (t *Target) DefaultCaps() bool {
	return t.Caps == nil || slices.Equal(t.Caps, []string{"default"})
}

// A flagged is a language that warns of the flags which mean nothing to it, and refuses
// --strictest-wins where the rules have an order of their own.
type flagged struct {
	language.Language
	flags *Target
}

// Read implements [language.Language].
func (l flagged) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	r, err := l.Language.Read(s, t)
	ordered := func(p *policy.Policy) bool { return p.Order == policy.FirstMatch }
	if p := r.Policy; l.flags.StrictestWins && p != nil && (ordered(p) || slices.ContainsFunc(p.Older, ordered)) {
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
	if !conditional && !l.flags.DefaultCaps() {
		ignored("--cap", strings.Join(l.flags.Caps, ","), "this language has no conditions on capabilities")
	}
	if !kernels && l.flags.Kernel != "" {
		ignored("--kernel", l.flags.Kernel, "this language has no conditions on kernels")
	}
	if p := r.Policy; p != nil && l.flags.ENOSYS != "" && l.flags.ENOSYS != (policy.ENOSYS{Off: true}).String() {
		enosys, _ := cmp.Or(t.ABI, arch.Native()).Errno("ENOSYS")
		decides := func(p *policy.Policy) bool {
			return l.flags.ENOSYS == (policy.ENOSYS{}).String() && (p.NoBound || p.Order == policy.FirstMatch) ||
				p.Default.Permits(cbpf.WithTracer) || p.Default == cbpf.ErrnoClass && p.DefaultErrno != nil && *p.DefaultErrno == uint(enosys)
		}
		if decides(p) && !slices.ContainsFunc(p.Older, func(p *policy.Policy) bool { return !decides(p) }) {
			ignored("--enosys", l.flags.ENOSYS, "the policy itself says what unknown numbers get")
		}
	}
	return r, err
}

// ModeNames lists the words of --compat.
func ModeNames() []string {
	return []string{policy.Runc.String(), policy.Strict.String(), ocijson.Crun, ocijson.Youki, ocijson.Youki06}
}

// CheckMode reports that a flag names no mode.
func CheckMode(flag, word string) error {
	names := ModeNames()
	if slices.Contains(names, word) {
		return nil
	}
	return failure.Usagef("%s: unknown mode %q (known: %s)", flag, word, strings.Join(names, ", ")).HintNearest(word, names, "")
}

// Runtime returns the runtime other than runc that the profile is read like, or "".
func (t *Target) Runtime() string {
	if _, err := policy.ParseMode(t.Compat); err == nil || !slices.Contains(ModeNames(), t.Compat) {
		return ""
	}
	return t.Compat
}

// Options returns how to resolve a profile.
func (t *Target) Options() (policy.Options, error) {
	var o policy.Options
	var err1, err2, err3 error
	o.ABIs, err1 = ParseABIs(t.ABIs)
	o.ENOSYS, err2 = policy.ParseENOSYS(cmp.Or(t.ENOSYS, policy.ENOSYS{}.String()))
	if t.Runtime() == "" {
		if o.Mode, err3 = policy.ParseMode(cmp.Or(t.Compat, policy.Runc.String())); err3 != nil {
			err3 = CheckMode("--compat", t.Compat)
		}
	}
	var err4 error
	if t.BadArch != "" {
		var badArch ActionPattern
		badArch, err4 = ParseAction("--bad-arch", t.BadArch, cmp.Or(MainABI(o.ABIs), arch.Native()))
		o.BadArch = badArch.Action
	}
	o.StrictestWins, o.Exact = t.StrictestWins, t.Exact
	return o, cmp.Or(err1, failure.Flag("--enosys", err2), err3, err4)
}

// CheckSettings refuses settings without a language where no input is a profile.
func (t *Target) CheckSettings(profile bool) error {
	if profile || len(t.Settings) == 0 || len(t.Languages) > 0 {
		return nil
	}
	return failure.Usagef("--set: settings are for reading a profile, but the input is a filter").Hintf("leave it out")
}

// ForTargets returns a language, told which ABIs a policy is for if that is not up to its
// text: none leave it to the kernel of the policy's target.
func ForTargets(lang language.Language, abis []arch.ABI) language.Language {
	switch l := lang.(type) {
	case flagged:
		l.Language = ForTargets(l.Language, abis)
		return l
	case stacked:
		l.Language = ForTargets(l.Language, abis)
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
