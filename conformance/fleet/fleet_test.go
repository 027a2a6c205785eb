package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seccompile/seccompile/conformance/internal/page"
)

// patience bounds how long a program may take, on a machine that does much else.
const patience = 3 * time.Minute

// A site is a registry, with a build that pushes to it and nodes that pull from it.
type site struct {
	*registry
	page.Session
	bin string // oras, cosign and seccompile
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{bin: tools(t)}
	s.registry = newRegistry(t)
	s.Dir = t.TempDir()
	s.Env = []string{
		"PATH=" + page.Command(t) + ":" + s.bin + ":" + os.Getenv("PATH"), "REGISTRY=" + s.address,
		"HOME=" + t.TempDir(), "COSIGN_PASSWORD=", "http_proxy=", "HTTP_PROXY=",
	}
	return s
}

// sh runs commands in the site's directory, and returns what they print.
func (s *site) sh(t *testing.T, commands string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-ec", commands)
	cmd.Dir, cmd.Env = s.Dir, append(os.Environ(), s.Env...)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Errorf("%s: not done after %v", commands, patience)
	}
	return strings.TrimSpace(string(out)), err
}

// must is sh for commands that succeed.
func (s *site) must(t *testing.T, commands string) string {
	t.Helper()
	out, err := s.sh(t, commands)
	if err != nil {
		t.Fatalf("%s\n%v\n%s", commands, err, out)
	}
	return out
}

// refused runs commands that must fail, for a reason that they name.
func (s *site) refused(t *testing.T, commands, reason string) {
	t.Helper()
	out, err := s.sh(t, commands)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Errorf("%s: not refused: %v\n%s", commands, err, out)
	} else if !strings.Contains(out, reason) {
		t.Errorf("%s: refused, but not because of %q:\n%s", commands, reason, out)
	}
}

// The commands of docs/FLEET.md run in its order, against a registry.
func TestPage(t *testing.T) {
	s := newSite(t)
	elsewhere := func(*testing.T, page.Block) {} // package internal/fleet checks the Go code and the numbers
	ran := s.Run(t, filepath.Join(page.Root(t), "docs/FLEET.md"), map[string]func(*testing.T, page.Block){"go": elsewhere, "": elsewhere})
	if ran["sh"] < 8 || ran["text"] < 2 {
		t.Errorf("ran %v", ran)
	}
	// What the registry has is what runtimes look for.
	var manifest struct {
		ArtifactType string
		Config       struct{ MediaType string }
		Layers       []struct{ MediaType, Digest string }
	}
	fetch := func(name string) {
		t.Helper()
		manifest.Layers = nil
		if err := json.Unmarshal([]byte(s.must(t, "oras manifest fetch $REGISTRY/seccomp/"+name)), &manifest); err != nil || len(manifest.Layers) != 1 {
			t.Fatalf("%s: %+v, %v", name, manifest, err)
		}
	}
	fetch("docker-default:7.2-1")
	if got := manifest.ArtifactType + " " + manifest.Layers[0].MediaType; got != "application/vnd.seccompile.filters.v1 application/vnd.seccompile.filters.v1" {
		t.Errorf("types %s", got)
	}
	fetch("profile:1")
	if got := manifest.Config.MediaType + " " + manifest.Layers[0].MediaType; got != "application/vnd.cncf.seccomp-profile.config.v1+json application/json" {
		t.Errorf("types %s", got)
	}
	// A filter is as good from a layout as from a file.
	s.must(t, "oras copy --to-oci-layout $REGISTRY/seccomp/docker-default:7.2-1 filters:1; seccompile prove -a aarch64,arm docker-default filters")
}

// What CRI-O, runtimes by KEP-6061 and the Security Profiles Operator expect in a registry comes out
// of it as the profile that went in, and check accepts of it what runtimes accept.
func TestProfilesOfOthers(t *testing.T) {
	s := newSite(t)
	s.must(t, "seccompile resolve -q -a x86_64,x86,x32 -o profile.json docker-default\n"+
		"seccompile convert -q --to spo -a x86_64,x86,x32 -o profile.yaml profile.json\necho '{}' >config.json")
	const kep = "application/vnd.cncf.seccomp-profile.config.v1+json"
	for i, tt := range []struct {
		name, push string
		runtimes   string // why they refuse it, "" if they do not
	}{
		{"CRI-O's layers", "--config config.json:" + kep + " REF profile.json:application/vnd.oci.image.layer.v1.tar", ""},
		{"KEP-6061, empty config", "--artifact-type " + kep + " REF profile.json:application/json", ""},
		{"the operator's", "--artifact-type application/vnd.unknown.config.v1+json REF profile.yaml", "artifactType must be"},
		{"no types at all", "REF profile.json", "artifactType must be"},
	} {
		layout := "layout" + string(rune('a'+i))
		s.must(t, "oras push "+strings.Replace(tt.push, "REF", "$REGISTRY/"+layout+":1", 1)+"\noras copy --to-oci-layout $REGISTRY/"+layout+":1 "+layout+":1")
		if out, err := s.sh(t, "seccompile diff -a x86_64,x86,x32 "+layout+" profile.json"); err != nil {
			t.Errorf("%s: %v\n%s", tt.name, err, out)
		}
		check := "seccompile check --for kep-6061 --baseline docker-default " + layout
		if tt.runtimes != "" {
			s.refused(t, check, tt.runtimes)
		} else if out, err := s.sh(t, check); err != nil {
			t.Errorf("%s: %v\n%s", tt.name, err, out)
		}
	}
}

// keys makes the keys of the build, and files that keep cosign off the network.
const keys = "cosign generate-key-pair --output-key-prefix build\n" +
	"cosign signing-config create --out services.json\n" +
	"cosign trusted-root create --out roots.json\n"

// publish returns commands that compile a profile, push it under a tag and print its digest.
func publish(profile, tag string) string {
	return "mkdir -p " + tag + "; cd " + tag + "\n" +
		"seccompile compile -q --prove -f artifact -a x86_64,aarch64,s390x -o filters.artifact " + profile + "\n" +
		"oras push --artifact-type application/vnd.seccompile.filters.v1 $REGISTRY/seccomp/web:" + tag +
		" filters.artifact:application/vnd.seccompile.filters.v1 >&2\n" +
		"oras resolve $REGISTRY/seccomp/web:" + tag + " >../digest." + tag
}

func (s *site) publish(t *testing.T, profile, tag string) (digest string) {
	t.Helper()
	s.must(t, publish(profile, tag))
	return s.must(t, "cat digest."+tag)
}

func sign(key, digest string) string {
	return "cosign sign --key " + key + " --signing-config services.json --trusted-root roots.json $REGISTRY/seccomp/web@" + digest
}

// verify and pull are what a node does.
func verify(digest string) string {
	return "cosign verify --key build.pub --insecure-ignore-tlog $REGISTRY/seccomp/web@" + digest
}

func pull(node, digest string) string {
	incoming := node + ".incoming"
	return "mkdir -p " + node + "; rm -rf " + incoming + "\noras pull -o " + incoming + " $REGISTRY/seccomp/web@" + digest +
		"\nmv " + incoming + " " + node + "/" + digest
}

// Sixteen nodes come up at once, each of them three processes.
func TestNodesAtOnce(t *testing.T) {
	const nodes = 16
	s := newSite(t)
	s.must(t, keys)
	digest := s.publish(t, "docker-default", "v1")
	s.must(t, sign("build.key", digest))
	var all sync.WaitGroup
	for i := range nodes {
		all.Go(func() {
			node := "node-" + string(rune('a'+i))
			file := node + "/" + digest + "/filters.artifact"
			out, err := s.sh(t, verify(digest)+"\n"+pull(node, digest)+"\ncmp v1/filters.artifact "+file+"\nseccompile eval -a s390x "+file+" mount")
			if err != nil || !strings.Contains(out, "EPERM") {
				t.Errorf("%s: %v\n%s", node, err, out)
			}
		})
	}
	all.Wait()
}
