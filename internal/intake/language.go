package intake

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/beats"
	"github.com/seccompile/seccompile/language/bionic"
	"github.com/seccompile/seccompile/language/firecracker"
	"github.com/seccompile/seccompile/language/firejail"
	"github.com/seccompile/seccompile/language/kafel"
	"github.com/seccompile/seccompile/language/kubernetes"
	"github.com/seccompile/seccompile/language/lxc"
	"github.com/seccompile/seccompile/language/minijail"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/language/snap"
	"github.com/seccompile/seccompile/language/spo"
	"github.com/seccompile/seccompile/language/systemd"
)

// A tongue is a language that --language names.
type tongue struct {
	name     string
	versions []int // of its own tool, the newest last; none if the language has one meaning
	// settings are those of its own tool that --set has, each with the words that it takes,
	// if they are known.
	settings []setting
	json     bool // its policies may be JSON
	// language returns the language with a version, 0 for the newest, and settings.
	language func(version int, settings map[string]string) language.Language
}

type setting struct {
	key   string
	words []string // none: anything
}

// onOff are the words of a switch.
var onOff = []string{"yes", "no"}

// tongues lists the languages.
func tongues() []tongue {
	oci := func(f ocijson.Format) tongue {
		return tongue{name: string(f), language: func(int, map[string]string) language.Language { return ocijson.Language{Format: f} }}
	}
	return []tongue{
		oci(ocijson.OCI), oci(ocijson.Config), oci(ocijson.Docker), oci(ocijson.Podman),
		minijailTongue(minijail.Python, "denylist"), minijailTongue(minijail.C, "allow-duplicates"),
		{name: "systemd", versions: []int{252, 257, 262}, language: func(version int, _ map[string]string) language.Language {
			return systemd.Language{Version: version}
		}},
		{name: "spo", json: true, settings: []setting{{"object", nil}}, language: func(_ int, s map[string]string) language.Language {
			return spo.Language{Object: s["object"]}
		}},
		{
			name: "kubernetes", json: true, versions: []int{26, 27},
			settings: []setting{{"container", nil}, {"seccomp-default", onOff}, {"runtime-default", nil}},
			language: func(version int, s map[string]string) language.Language {
				return kubernetes.Language{
					Container: s["container"], Annotations: version == 26,
					SeccompDefault: s["seccomp-default"] == "yes", RuntimeDefault: s["runtime-default"],
				}
			},
		},
		{name: "kafel", settings: []setting{{"include", nil}}, language: func(_ int, s map[string]string) language.Language {
			return kafel.Language{Include: paths(s["include"])}
		}},
		{name: "bionic", settings: []setting{{"process", []string{"app", "app_zygote", "system"}}, {"lists", nil}}, language: func(_ int, s map[string]string) language.Language {
			return bionic.Language{Process: s["process"], Lists: paths(s["lists"])}
		}},
		{name: "snap", settings: []setting{{"template", nil}, {"users", nil}, {"groups", nil}, {"calls", nil}}, language: func(_ int, s map[string]string) language.Language {
			return snap.Language{Template: s["template"], Users: s["users"], Groups: s["groups"], Calls: s["calls"]}
		}},
		{name: "lxc", versions: []int{5, 7}, language: func(version int, _ map[string]string) language.Language {
			return lxc.Language{Version: version}
		}},
		{name: "firecracker", json: true, settings: []setting{{"thread", nil}, {"basic", onOff}}, language: func(_ int, s map[string]string) language.Language {
			return firecracker.Language{Thread: s["thread"], Basic: s["basic"] == "yes"}
		}},
		{name: "beats", json: true, settings: []setting{{"as-written", onOff}}, language: func(_ int, s map[string]string) language.Language {
			return beats.Language{AsWritten: s["as-written"] == "yes"}
		}},
		firejailTongue(),
	}
}

// firejailTongue returns firejail's profiles and command lines. What firejail.config sets
// has its names.
func firejailTongue() tongue {
	config := []setting{
		{"allow-tray", onOff}, {"browser-allow-drm", onOff}, {"browser-disable-u2f", onOff}, {"seccomp", onOff},
		{"seccomp-error-action", nil}, {"seccomp-filter-add", nil},
	}
	return tongue{
		name:     "firejail",
		settings: append([]setting{{"options", nil}, {"before-exec", onOff}}, config...),
		language: func(_ int, s map[string]string) language.Language {
			l := firejail.Language{Options: s["options"], BeforeExec: s["before-exec"] == "yes", Config: make(map[string]string)}
			for _, c := range config {
				if value, ok := s[c.key]; ok {
					l.Config[c.key] = value
				}
			}
			return l
		},
	}
}

// minijailTongue returns a dialect of minijail's policies, which has a switch of its own.
func minijailTongue(d minijail.Dialect, own string) tongue {
	return tongue{
		name:     string(d),
		settings: []setting{{"default-action", nil}, {"use-kill-process", onOff}, {"use-ret-log", onOff}, {own, onOff}},
		language: func(_ int, s map[string]string) language.Language {
			return minijail.Language{
				Dialect: d, DefaultAction: s["default-action"],
				UseKillProcess: s["use-kill-process"] == "yes", UseRetLog: s["use-ret-log"] == "yes",
				Denylist: s["denylist"] == "yes", AllowDuplicates: s["allow-duplicates"] == "yes",
			}
		},
	}
}

// paths splits names with colons between them.
func paths(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ':' })
}

// LanguageNames returns the names of the languages without versions.
func LanguageNames() (names []string) {
	for _, x := range tongues() {
		names = append(names, x.name)
	}
	return names
}

// LanguageVersions returns the names of the languages, and those with each version that they
// have.
func LanguageVersions() (names []string) {
	for _, x := range tongues() {
		names = append(names, x.name)
		for _, v := range x.versions {
			names = append(names, x.name+"@"+strconv.Itoa(v))
		}
	}
	return names
}

// SettingNames returns KEY=VALUE, or KEY= where any value goes, for the settings of all
// languages.
func SettingNames() (names []string) {
	for _, x := range tongues() {
		for _, s := range x.settings {
			if len(s.words) == 0 {
				names = append(names, s.key+"=")
			}
			for _, w := range s.words {
				names = append(names, s.key+"="+w)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// LanguageNamed returns the language that a flag names, with a version, and the settings of
// the flag set.
func LanguageNamed(flag, name, set string, values []string) (language.Language, error) {
	_, lang, err := tongueNamed(flag, name, set, values)
	return lang, err
}

// tongueNamed is languageNamed with the tongue of the language.
func tongueNamed(flag, name, set string, values []string) (*tongue, language.Language, error) {
	word, version, versioned := strings.Cut(name, "@")
	all := tongues()
	i := slices.IndexFunc(all, func(x tongue) bool { return x.name == word })
	if i < 0 {
		known := LanguageNames()
		otherwise := ""
		if flag == "--language" {
			otherwise = "the formats of OCI, Docker and Podman are detected"
		}
		return nil, nil, failure.Usagef("%s: unknown language %q (known: %s)", flag, word, strings.Join(known, ", ")).HintNearest(word, known, otherwise)
	}
	x := &all[i]
	n := 0
	if versioned {
		var err error
		if n, err = strconv.Atoi(version); err != nil || !slices.Contains(x.versions, n) {
			return nil, nil, failure.Usagef("%s: %s has no version %q (known: %s)", flag, x.name, version, x.versionList())
		}
	}
	settings, err := x.parse(set, values)
	if err != nil {
		return nil, nil, err
	}
	return x, x.language(n, settings), nil
}

// hasSetting reports whether the language with a name has the setting of KEY=VALUE.
func hasSetting(name, value string) bool {
	word, _, _ := strings.Cut(name, "@")
	key, _, _ := strings.Cut(value, "=")
	return slices.ContainsFunc(tongues(), func(x tongue) bool {
		return x.name == word && slices.ContainsFunc(x.settings, func(s setting) bool { return s.key == key })
	})
}

func (x *tongue) versionList() string {
	var list []string
	for _, v := range x.versions {
		list = append(list, strconv.Itoa(v))
	}
	if list == nil {
		return "none: it has one meaning"
	}
	return strings.Join(list, ", ")
}

// parse reads the values of a flag such as --set.
func (x *tongue) parse(set string, values []string) (map[string]string, error) {
	settings := make(map[string]string)
	for _, v := range values {
		key, value, ok := strings.Cut(v, "=")
		i := slices.IndexFunc(x.settings, func(s setting) bool { return s.key == key })
		var known []string
		for _, s := range x.settings {
			known = append(known, s.key)
		}
		switch {
		case i < 0 && known == nil:
			return nil, failure.Usagef("%s %s: %s has no settings", set, v, x.name)
		case i < 0:
			return nil, failure.Usagef("%s %s: %s has no such setting (known: %s)", set, v, x.name, strings.Join(known, ", ")).HintNearest(key, known, "")
		case !ok:
			return nil, failure.Usagef("%s %s: expected %s=VALUE", set, v, key)
		}
		if words := x.settings[i].words; len(words) > 0 && !slices.Contains(words, value) {
			text := ""
			if near := unknown.Nearest(value, words); near != "" {
				text = "; did you mean " + near + "?"
			}
			return nil, failure.Usagef("%s %s: expected %s%s", set, v, strings.Join(words, " or "), text)
		}
		settings[key] = value
	}
	return settings, nil
}
