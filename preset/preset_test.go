package preset_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/preset"
)

func TestEveryProfileIsReadForEveryMainABI(t *testing.T) {
	names := preset.Names()
	sorted := slices.Sorted(slices.Values(names))
	if len(slices.Compact(sorted)) != len(names) || len(names) < 100 {
		t.Errorf("%d names, %d of them different", len(names), len(slices.Compact(sorted)))
	}
	for _, name := range names {
		for _, abi := range []arch.ABI{arch.X86_64, arch.AArch64, arch.RISCV64, arch.S390X, arch.PPC64LE, arch.MIPS64, arch.ARM} {
			resolvedFor(t, name, abi)
		}
	}
}

// The files are those that names stand for, and no two say the same.
func TestReleasesShareFiles(t *testing.T) {
	files, err := os.ReadDir("release")
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	said := map[string]any{}
	for _, f := range files {
		b, err := os.ReadFile("release/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		size += int64(len(b))
		name := strings.TrimSuffix(f.Name(), ".json")
		if got, err := preset.Profile(name); err != nil || string(got) != string(b) {
			t.Errorf("%s: another profile has this name, error %v", name, err)
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for other, w := range said {
			if reflect.DeepEqual(v, w) {
				t.Errorf("%s and %s are equal", name, other)
			}
		}
		said[name] = v
	}
	const most = 400_000 // bytes that whoever imports the package carries
	if size > most || size == 0 {
		t.Errorf("%d bytes in %d files, want at most %d", size, len(files), most)
	}
}

func TestNamesWithoutReleaseAreTheNewest(t *testing.T) {
	newest := map[string]string{}
	for _, name := range preset.Names() {
		if origin, rest, ok := strings.Cut(name, "@"); ok {
			_, flags, _ := strings.Cut(rest+"+", "+")
			newest[strings.TrimSuffix(origin+"+"+flags, "+")] = name
		}
	}
	newest["docker"] = "moby@0.2.4" // TestDefaultIsMobys
	delete(newest, "moby")
	for _, origin := range []string{"docker", "podman", "cri-o", "containerd", "flatpak", "flatpak+multiarch+devel+bluetooth+canbus"} {
		if newest[origin] == "" {
			t.Errorf("%s: no release", origin)
		}
	}
	for origin, name := range newest {
		got, err := preset.Profile(origin)
		if err != nil {
			t.Fatal(err)
		}
		want, err := preset.Profile(name)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is not %s, error %v", origin, name, err)
		}
	}
}

func TestNamesThatDoNotExist(t *testing.T) {
	for name, want := range map[string]string{
		"dockr":          `preset: "dockr": unknown preset (did you mean docker?)`,
		"docker@28.3.2":  `preset: "docker@28.3.2": unknown preset (did you mean docker@28.3.3?)`,
		"flatpak+device": `preset: "flatpak+device": unknown preset (did you mean flatpak+devel?)`,
	} {
		if b, err := preset.Profile(name); b != nil || err == nil || err.Error() != want {
			t.Errorf("%q: %d bytes, error %v", name, len(b), err)
		}
	}
	for _, name := range []string{"", ".", "..", "/", "../release/docker@28.3.3", "../caps_test", "release/docker@28.3.3", "docker@28.3.3.json", strings.Repeat("x", 1<<20)} {
		b, err := preset.Profile(name)
		if b != nil || err == nil || !strings.Contains(err.Error(), "docker, podman, cri-o, containerd, flatpak") || len(err.Error()) > 500 {
			t.Errorf("%.40q: %d bytes, error %.300v", name, len(b), err)
		}
	}
}

func TestProfilesAreFresh(t *testing.T) {
	for _, name := range []string{"docker", "flatpak"} {
		a, err := preset.Profile(name)
		if err != nil {
			t.Fatal(err)
		}
		clear(a)
		b, err := preset.Profile(name)
		if err != nil || !json.Valid(b) {
			t.Errorf("%s: a caller can change it, error %v", name, err)
		}
	}
	names := preset.Names()
	clear(names)
	if slices.Contains(preset.Names(), "") {
		t.Error("a caller can change the names")
	}
}

// docs/PRESETS.md has every release of container engines, as the files share them.
func TestThePageHasEveryRelease(t *testing.T) {
	page, err := os.ReadFile("../docs/PRESETS.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{} // name to the text of its profile
	for line := range strings.Lines(string(page)) {
		first := ""
		for i, part := range strings.Split(line, "`") {
			b, err := preset.Profile(part)
			if i%2 == 0 || err != nil || !strings.HasPrefix(line, "| `") || strings.HasPrefix(part, "flatpak") {
				continue
			}
			if first == "" {
				first = string(b)
			}
			if said[part] != "" || string(b) != first {
				t.Errorf("%s: twice, or not what the first of its row is", part)
			}
			said[part] = first
		}
	}
	for _, name := range preset.Names() {
		if strings.Contains(name, "@") && !strings.HasPrefix(name, "flatpak") && said[name] == "" {
			t.Errorf("%s: not in docs/PRESETS.md", name)
		}
	}
}
