package lint

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// pull returns the places and reasons of the findings of a kind about a profile to be pulled.
func pull(profile, id string) (list []string) {
	r := Check(language.NewSource([]byte(profile)), Options{For: KEP6061, NoStart: true, Resolve: policy.Options{ABIs: []arch.ABI{arch.X86_64}}})
	for _, f := range r.Findings {
		if f.ID == id && f.Severity == Error {
			list = append(list, f.Pointer+": "+f.Reason)
		}
	}
	return list
}

// denying returns a profile with these entries, whose default action is ERRNO(1).
func denying(entries ...string) string {
	return `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [` + strings.Join(entries, ",") + `]}`
}

func entryOf(names, action string, conditions ...string) string {
	return fmt.Sprintf(`{"names": [%s], "action": "SCMP_ACT_%s", "args": [%s]}`, names, action, strings.Join(conditions, ","))
}

func when(index int, op string, value uint64) string {
	return fmt.Sprintf(`{"index": %d, "op": "SCMP_CMP_%s", "value": %d}`, index, op, value)
}

// many joins n of something.
func many(n int, f func(int) string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = f(i)
	}
	return strings.Join(list, ",")
}

// At each limit a profile passes, and with one more it fails.
func TestArtifactLimits(t *testing.T) {
	same := func(int) string { return `"read"` }
	call := func(i int) string { return fmt.Sprintf(`"call%d"`, i) }
	equal := func(i int) string { return when(0, "EQ", uint64(i)) }
	one := entryOf(`"read"`, "ALLOW")
	for _, tt := range []struct {
		name  string
		limit int
		of    func(n int) string
		at    string
		says  string
	}{
		{"bytes", maxArtifact, func(n int) string { p := denying(one); return p + strings.Repeat(" ", n-len(p)) }, "", "the profile has 1048577 bytes, and runtimes accept 1048576"},
		{"entries with one name", maxEntries, func(n int) string {
			return denying(many(n, func(i int) string { return entryOf(`"read"`, "ALLOW", equal(i)) }))
		},
			"/syscalls/128/names/0", `"read" is listed 129 times, and runtimes accept 128`},
		{"the same entry", maxEntries, func(n int) string { return denying(many(n, func(int) string { return one })) },
			"/syscalls/128/names/0", `"read" is listed 129 times, and runtimes accept 128`},
		{"entries that do what the default does", maxEntries, func(n int) string { return denying(many(n, func(int) string { return entryOf(`"read"`, "ERRNO") })) },
			"/syscalls/128/names/0", `"read" is listed 129 times, and runtimes accept 128`},
		{"a name that is listed twice in entries with several", maxEntries, func(n int) string {
			return denying(entryOf(`"read"`+strings.Repeat(`, "write", "read"`, 63), "ALLOW"), entryOf(many(n-64, same), "ALLOW"))
		}, "/syscalls/1/names/64", `"read" is listed 129 times, and runtimes accept 128`},
		{"names of an entry", maxNames, func(n int) string { return denying(entryOf(many(n, call), "ALLOW")) },
			"/syscalls/0/names", "the entry has 1025 names, and runtimes accept 1024"},
		{"rules of a call", maxRules, func(n int) string { return denying(entryOf(`"read"`, "ALLOW", many(n, equal))) },
			"/syscalls/0/names/0", `"read" has more than 256 rules with those up to here, and runtimes accept no more`},
		{"rules of a call in two entries", maxRules, func(n int) string {
			return denying(entryOf(`"read"`, "ALLOW", many(n-1, equal)), entryOf(`"write", "read"`, "ALLOW", when(1, "EQ", 1)))
		}, "/syscalls/1/names/1", `"read" has more than 256 rules with those up to here, and runtimes accept no more`},
		{"rules", maxAllRules, func(n int) string {
			return denying(entryOf(many(maxNames, call), "ALLOW", many(15, equal)), entryOf(many(n-15*maxNames, call), "ALLOW"))
		}, "/syscalls", "the profile has 16385 rules, a name and a condition at a time, and runtimes accept 16384"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at := func(f string) bool { return strings.HasPrefix(f, tt.at+": ") && strings.Contains(f, tt.says) }
			if got := pull(tt.of(tt.limit), "artifact-limit"); slices.ContainsFunc(got, at) || tt.limit < maxAllRules && got != nil {
				t.Errorf("at the limit: %q", got)
			}
			if got := pull(tt.of(tt.limit+1), "artifact-limit"); !slices.ContainsFunc(got, at) {
				t.Errorf("beyond the limit: %q, want %s: %s", got, tt.at, tt.says)
			}
		})
	}
}

// Rules that do what the default does are not counted, and a condition that always holds is.
func TestArtifactRulesThatCount(t *testing.T) {
	all := many(300, func(i int) string { return when(0, "EQ", uint64(i)) })
	if got := pull(denying(entryOf(`"read"`, "ERRNO", all)), "artifact-limit"); got != nil {
		t.Errorf("%q", got)
	}
	all = many(257, func(int) string { return when(0, "MASKED_EQ", 0) })
	if got := pull(denying(entryOf(`"read"`, "ALLOW", all)), "artifact-limit"); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

func TestArtifactConflicts(t *testing.T) {
	entry := func(action string, conditions ...string) string { return entryOf(`"prctl"`, action, conditions...) }
	for _, tt := range []struct {
		name    string
		entries []string
		at      string // "" for none
	}{
		{"one rule", []string{entry("ALLOW", when(0, "LT", 3))}, ""},
		{"one answer, whatever the conditions", []string{entry("ALLOW", when(0, "LT", 3), when(1, "EQ", 2)), entry("ALLOW", when(0, "GT", 3)), entry("ALLOW")}, ""},
		{"the default's answer is not a rule", []string{entry("ALLOW", when(0, "LT", 3)), entry("ERRNO", when(1, "EQ", 2))}, ""},
		{"other values of an argument", []string{entry("ALLOW", when(0, "EQ", 1)), entry("LOG", when(0, "EQ", 2)), entry("TRAP", when(0, "EQ", 3))}, ""},
		{"the same again", []string{entry("ALLOW", when(0, "EQ", 1)), entry("LOG", when(0, "EQ", 2)), entry("ALLOW", when(0, "EQ", 1))}, ""},
		{"values that are the same on 32 bits", []string{entry("ALLOW", when(0, "EQ", 1)), entry("LOG", when(0, "EQ", 1<<32+1))}, "/syscalls/1"},
		{"other arguments", []string{entry("ALLOW", when(0, "EQ", 1)), entry("ALLOW", when(0, "EQ", 2)), entry("LOG", when(1, "EQ", 3))}, "/syscalls/2"},
		{"opposites", []string{entry("ALLOW", when(0, "LE", 7)), entry("LOG", when(0, "GT", 7))}, ""},
		{"opposites the other way round", []string{entry("ALLOW", when(0, "GE", 7)), entry("LOG", when(0, "LT", 7))}, ""},
		{"opposites that are listed twice", []string{entry("ALLOW", when(0, "EQ", 7)), entry("LOG", when(0, "NE", 7)), entry("LOG", when(0, "NE", 7))}, ""},
		{"opposites of another value", []string{entry("ALLOW", when(0, "LE", 7)), entry("LOG", when(0, "GT", 8))}, "/syscalls/1"},
		{"opposites of another argument", []string{entry("ALLOW", when(0, "LE", 7)), entry("LOG", when(1, "GT", 7))}, "/syscalls/1"},
		{"masks are not opposites", []string{entry("ALLOW", when(0, "MASKED_EQ", 7)), entry("LOG", when(0, "MASKED_EQ", 8))}, "/syscalls/1"},
		{"two conditions", []string{entry("ALLOW", when(0, "EQ", 1), when(1, "EQ", 1)), entry("LOG", when(0, "EQ", 2))}, "/syscalls/1"},
		{"two conditions on one argument are two rules", []string{entry("ALLOW", when(0, "EQ", 1), when(0, "EQ", 2)), entry("LOG", when(0, "EQ", 3))}, ""},
		{"a condition that is dropped", []string{entry("ALLOW", when(0, "EQ", 1), when(1, "MASKED_EQ", 0)), entry("LOG", when(0, "EQ", 2))}, ""},
		{"nothing else left", []string{entry("ALLOW", when(1, "MASKED_EQ", 0)), entry("LOG", when(0, "EQ", 2))}, "/syscalls/1"},
		{"without conditions", []string{entry("LOG", when(0, "EQ", 1)), entry("ALLOW")}, "/syscalls/1"},
		{"another error", []string{`{"names": ["prctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22, "args": [` + when(0, "LT", 3) + `]}`, entry("ALLOW", when(1, "EQ", 3))}, "/syscalls/1"},
		{"data of LOG does not count", []string{entry("LOG", when(0, "LT", 3)), entry("LOG", when(1, "EQ", 3))}, ""},
		{"another call", []string{entry("ALLOW", when(0, "LT", 3)), entryOf(`"ioctl"`, "LOG", when(0, "LT", 4))}, ""},
	} {
		got := pull(denying(tt.entries...), "artifact-conflict")
		if want := tt.at + ": runtimes refuse an artifact with rules like these for prctl, which give different answers"; tt.at == "" && got != nil || tt.at != "" && !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

// What the readers of profiles refuse, runtimes that pull them do, too.
func TestArtifactKnows(t *testing.T) {
	good := denying(entryOf(`"read"`, "ALLOW", when(5, "EQ", 1)))
	for _, tt := range []struct{ old, new, at string }{
		{"X86_64", "X86_65", "/architectures/0"},
		{`"syscalls"`, `"flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"], "syscalls"`, "/flags/0"},
		{"CMP_EQ", "CMP_IN", "/syscalls/0/args/0/op"},
		{"ACT_ALLOW", "ACT_PERMIT", "/syscalls/0/action"},
		{"ACT_ERRNO", "ACT_DENY", "/defaultAction"},
		{`"index": 5`, `"index": 6`, "/syscalls/0/args/0/index"},
		{`"read"`, `""`, "/syscalls/0/names/0"},
		{`"read"`, ``, "/syscalls/0/names"},
	} {
		profile := strings.Replace(good, tt.old, tt.new, 1)
		if got := append(pull(profile, "invalid"), pull(profile, "no-names")...); len(got) != 1 || !strings.HasPrefix(got[0], tt.at+": ") {
			t.Errorf("%s: %q, want %s", tt.new, got, tt.at)
		}
	}
	if got := pull(good, "invalid"); got != nil {
		t.Errorf("%q", got)
	}
}

// manifestOf returns a manifest of a layer; edits replace parts of it.
func manifestOf(layer string, edits ...string) string {
	sum := sha256.Sum256([]byte(layer))
	config := sha256.Sum256([]byte("{}"))
	text := fmt.Sprintf(`{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.manifest.v1+json",
  "artifactType": %q,
  "config": {"mediaType": %q, "digest": "sha256:%x", "size": 2},
  "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:%x", "size": %d, "annotations": {"org.opencontainers.image.title": "profile.json"}}]
}`, ArtifactType, ArtifactType, config, sum, len(layer))
	return strings.NewReplacer(edits...).Replace(text)
}

func TestManifest(t *testing.T) {
	profile := denying(entryOf(`"read"`, "ALLOW"))
	archive := "\x1f\x8b" + profile
	tar := strings.Repeat("\x00", 257) + "ustar\x0000" + profile
	empty := "application/vnd.oci.empty.v1+json"
	typed := fmt.Sprintf("%q", ArtifactType)
	for _, tt := range []struct {
		name, layer, manifest string
		want                  []string // pointers
		read                  bool     // the layer can be reviewed
	}{
		{"good", profile, manifestOf(profile), nil, true},
		{"without artifactType", profile, manifestOf(profile, `"artifactType": `+typed+`,`, ""), nil, true},
		{"without mediaType", profile, manifestOf(profile, `"mediaType": "application/vnd.oci.image.manifest.v1+json",`, ""), nil, true},
		{"empty config", profile, manifestOf(profile, `{"mediaType": `+typed, `{"mediaType": "`+empty+`"`), nil, true},
		{"nothing says the type", profile, manifestOf(profile, `{"mediaType": `+typed, `{"mediaType": "`+empty+`"`, `"artifactType": `+typed+`,`, ""), []string{"/artifactType"}, true},
		{"another type", profile, manifestOf(profile, ArtifactType, "application/vnd.unknown.config.v1+json"), []string{"/config/mediaType"}, true},
		{"the type of AppArmor's", profile, manifestOf(profile, "seccomp-profile", "apparmor-profile"), []string{"/config/mediaType"}, true},
		{"two types", profile, manifestOf(profile, `"artifactType": `+typed, `"artifactType": "application/example"`), []string{"/artifactType"}, true},
		{"Docker's manifest", profile, manifestOf(profile, "vnd.oci.image.manifest.v1", "vnd.docker.distribution.manifest.v2"), []string{"/mediaType"}, false},
		{"an index", profile, `{"schemaVersion": 2, "manifests": []}`, []string{"/manifests"}, false},
		{"no layer", profile, `{"schemaVersion": 2, "config": {"mediaType": ` + typed + `, "digest": "sha256:` + strings.Repeat("0", 64) + `", "size": 2}, "layers": []}`, []string{"/layers"}, false},
		{"two layers", profile, manifestOf(profile, `"layers": [`, `"layers": [{}, `), []string{"/layers"}, false},
		{"an archive", archive, manifestOf(archive), []string{"/layers/0"}, false},
		{"a tar", tar, manifestOf(tar), []string{"/layers/0"}, false},
		{"zstd", "\x28\xb5\x2f\xfd", manifestOf("\x28\xb5\x2f\xfd"), []string{"/layers/0"}, false},
		{"from another place", profile, manifestOf(profile, `"layers": [{`, `"layers": [{"urls": ["https://example.com"],`), []string{"/layers/0/urls"}, true},
		{"no place", profile, manifestOf(profile, `"layers": [{`, `"layers": [{"urls": [],`), nil, true},
		{"another digest", profile, manifestOf(denying(), fmt.Sprintf(`"size": %d`, len(denying())), fmt.Sprintf(`"size": %d`, len(profile))), []string{"/layers/0/digest"}, false},
		{"no digest", profile, manifestOf(profile, "sha256:", "md5:"), []string{"/config/digest", "/layers/0/digest"}, false},
		{"another size", profile, manifestOf(profile, fmt.Sprintf(`"size": %d`, len(profile)), `"size": 3`), []string{"/layers/0/size"}, true},
		{"a size below zero", profile, manifestOf(profile, fmt.Sprintf(`"size": %d`, len(profile)), `"size": -1`), []string{"/layers/0/size"}, false},
		{"a config of 1 MiB", profile, manifestOf(profile, `"size": 2}`, `"size": 1048576}`), nil, true},
		{"a config of more", profile, manifestOf(profile, `"size": 2}`, `"size": 1048577}`), []string{"/config/size"}, true},
		{"not there", "", manifestOf(profile), []string{"/layers/0/digest"}, false},
	} {
		source := language.NewSource([]byte(tt.manifest))
		if !IsManifest(source) {
			t.Fatalf("%s: not a manifest", tt.name)
		}
		r, layer := CheckManifest(source, func(b Blob) ([]byte, error) {
			if tt.layer == "" {
				return nil, errors.New("not there")
			}
			return []byte(tt.layer), nil
		})
		var got []string
		for _, f := range r.Findings {
			got = append(got, f.Pointer)
			if f.Severity != Error || !strings.HasPrefix(f.ID, "artifact") {
				t.Errorf("%s: %+v", tt.name, f)
			}
		}
		if !slices.Equal(got, tt.want) || (layer != nil) != tt.read || r.Stopped() {
			t.Errorf("%s: findings at %q, want %q; layer %q", tt.name, got, tt.want, layer)
		}
	}
	if IsManifest(language.NewSource([]byte(profile))) || IsManifest(language.NewSource([]byte("{"))) {
		t.Error("a profile is a manifest")
	}
}

// What a manifest lists is a list of digests, or an error.
func TestParts(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	for text, want := range map[string]string{
		`{"schemaVersion": 2}`:                              "0 layer",
		`{"schemaVersion": 2, "layers": []}`:                "0 layer",
		`{"schemaVersion": 2, "layers": {"a": 1}}`:          "0 layer",
		`{"schemaVersion": 2, "layers": [3]}`:               "error layer",
		`{"schemaVersion": 2, "layers": [{"digest": [1]}]}`: "error layer",
		`{"schemaVersion": 2, "layers": [{"digest": "` + digest + `"}, {"digest": "` + digest + `"}]}`:   "2 layer",
		`{"schemaVersion": 2, "layers": [], "manifests": [{"digest": "` + digest + `", "platform": 1}]}`: "1 manifest",
		`{"schemaVersion": 2, "manifests": [{"digest": "` + digest + `x"}]}`:                             "error manifest",
	} {
		parts, what, err := Parts(language.NewSource([]byte(text)))
		got := fmt.Sprintf("%d %s", len(parts), what)
		if err != nil {
			got = "error " + what
		}
		if got != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	for about, text := range map[string]string{
		"linux/arm64": `{"digest": "` + digest + `", "platform": {"os": "linux", "architecture": "arm64"}, "annotations": {"org.opencontainers.image.title": "t"}}`,
		"v2":          `{"digest": "` + digest + `", "platform": {"os": "linux"}, "annotations": {"org.opencontainers.image.ref.name": "v2", "org.opencontainers.image.title": "t"}}`,
		"t":           `{"digest": "` + digest + `", "annotations": {"org.opencontainers.image.title": "t"}}`,
		"":            `{"digest": "` + digest + `", "annotations": 3}`,
	} {
		parts, _, err := Parts(language.NewSource([]byte(`{"schemaVersion": 2, "manifests": [` + text + `]}`)))
		if err != nil || len(parts) != 1 || parts[0].About != about {
			t.Errorf("%s: %+v, %v", text, parts, err)
		}
	}
}

func TestDigests(t *testing.T) {
	hexadecimal := hex.EncodeToString(make([]byte, 64))
	for s, want := range map[string]bool{
		"sha256:" + hexadecimal[:64]: true, "sha512:" + hexadecimal: true, "sha256:" + hexadecimal: false, "sha256:" + hexadecimal[:62]: false,
		"sha256:" + strings.Repeat("A", 64): false, "sha256:../" + hexadecimal[:61]: false, "md5:" + hexadecimal[:32]: false, "": false, hexadecimal[:64]: false,
	} {
		if b, ok := ParseDigest(s); ok != want || ok && b.String() != s {
			t.Errorf("%q: %v, %v", s, b, ok)
		}
	}
}
