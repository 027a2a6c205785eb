package fleet

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A release is what the build has published of one version.
type release struct {
	digest, layer      string // of the manifest, and of the artifact in it
	manifest, artifact []byte
}

func (s *site) release(t *testing.T, profile, tag string) (r release) {
	t.Helper()
	r.digest = s.publish(t, profile, tag)
	r.layer = s.must(t, "oras manifest fetch $REGISTRY/seccomp/web@"+r.digest+` | grep -o '"layers":.*' | grep -o 'sha256:[0-9a-f]*' | head -n 1`)
	r.manifest, r.artifact = read(t, s.blob(t, r.digest)), read(t, s.blob(t, r.layer))
	return r
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// put makes the registry answer with other bytes for a digest, until the test ends.
func (s *site) put(t *testing.T, digest string, data []byte) {
	t.Helper()
	path := s.blob(t, digest)
	before := read(t, path)
	write := func(data []byte) {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Error(err)
		}
	}
	write(data)
	t.Cleanup(func() { write(before) })
}

// What somebody can do who writes to the registry, but does not have the build's key: make nodes
// go without an artifact, and nothing else.
func TestTampering(t *testing.T) {
	s := newSite(t)
	s.must(t, keys+"cosign generate-key-pair --output-key-prefix other")
	s.must(t, "seccompile edit -q --allow bpf -o weak.json docker-default 2>weak.txt")
	strict, weak := s.release(t, "docker-default", "strict"), s.release(t, "$PWD/../weak.json", "weak")
	if bytes.Equal(strict.artifact, weak.artifact) || strict.digest == weak.digest {
		t.Fatal("the releases are the same")
	}
	// Both were good once: the weak one is the older, which the strict one replaced.
	s.must(t, sign("build.key", weak.digest)+"\n"+sign("build.key", strict.digest))
	flipped := bytes.Clone(strict.artifact)
	flipped[len(flipped)-1] ^= 1

	// refuses runs what a node does, one thing after another, after which it has no artifact:
	// oras has left the file that it refuses, and nothing looks there.
	refuses := func(t *testing.T, commands, reason string) {
		t.Helper()
		s.refused(t, commands, reason)
		if left, err := filepath.Glob(filepath.Join(s.Dir, "node/*")); err != nil || len(left) > 0 {
			t.Errorf("the node has %v", left)
		}
	}
	node := verify(strict.digest) + "\n" + pull("node", strict.digest)
	t.Run("a bit of the layer", func(t *testing.T) {
		s.put(t, strict.layer, flipped)
		refuses(t, node, "mismatch")
	})
	t.Run("the layer of the older artifact", func(t *testing.T) {
		s.put(t, strict.layer, weak.artifact)
		refuses(t, node, "mismatch")
	})
	t.Run("a layer cut short", func(t *testing.T) {
		s.put(t, strict.layer, strict.artifact[:len(strict.artifact)/2])
		refuses(t, node, "mismatch")
	})
	t.Run("the manifest of the older artifact", func(t *testing.T) {
		s.put(t, strict.digest, weak.manifest)
		refuses(t, node, "mismatch")
		refuses(t, pull("node", strict.digest), "mismatch")
	})
	t.Run("the older artifact under the newer tag", func(t *testing.T) {
		s.must(t, "oras tag $REGISTRY/seccomp/web@"+weak.digest+" strict")
		if now := s.must(t, "oras resolve $REGISTRY/seccomp/web:strict"); now != weak.digest {
			t.Errorf("the tag is of %s", now)
		}
		s.must(t, verify(strict.digest)+"\n"+pull("tagged", strict.digest)+"\ncmp tagged/"+strict.digest+"/filters.artifact strict/filters.artifact")
	})
	t.Run("not signed", func(t *testing.T) {
		unsigned := s.publish(t, "preset:no-network", "unsigned")
		refuses(t, verify(unsigned)+"\n"+pull("node", unsigned), "no signatures found")
	})
	t.Run("signed by another key", func(t *testing.T) {
		other := s.publish(t, "preset:no-io-uring", "other")
		s.must(t, sign("other.key", other))
		refuses(t, verify(other)+"\n"+pull("node", other), "signature")
		s.must(t, strings.Replace(verify(other), "build.pub", "other.pub", 1))
	})
	t.Run("the signature of another artifact", func(t *testing.T) {
		moved := s.publish(t, "preset:no-ptrace", "moved")
		tag := func(digest string) string { return strings.Replace(digest, ":", "-", 1) } // image-spec: referrers tag schema
		s.must(t, "oras tag $REGISTRY/seccomp/web:"+tag(strict.digest)+" "+tag(moved))
		refuses(t, verify(moved)+"\n"+pull("node", moved), "digest")
	})
	t.Run("damaged on the node", func(t *testing.T) {
		s.must(t, pull("disk", strict.digest))
		file := filepath.Join("disk", strict.digest, "filters.artifact")
		s.must(t, "seccompile run --profile "+file+" -- true")
		if err := os.WriteFile(filepath.Join(s.Dir, file), flipped, 0o666); err != nil {
			t.Fatal(err)
		}
		s.refused(t, "seccompile run --profile "+file+" -- true", "digest")
	})
}

// The digest before is still there, still signed, and still the same bytes.
func TestRollback(t *testing.T) {
	s := newSite(t)
	s.must(t, keys)
	before := s.publish(t, "docker-default", "v1")
	s.must(t, sign("build.key", before)+"\n"+verify(before)+"\n"+pull("node", before))
	after := s.publish(t, "preset:no-network", "v2")
	s.must(t, sign("build.key", after)+"\n"+verify(after)+"\n"+pull("node", after))
	if before == after {
		t.Fatal("the releases are the same")
	}
	for _, r := range []struct{ digest, tag, mount string }{
		{before, "v1", "EPERM"}, {after, "v2", "ALLOW"}, {before, "v1", "EPERM"},
	} {
		s.must(t, "rm -r node/"+r.digest+"\n"+verify(r.digest)+"\n"+pull("node", r.digest)+"\ncmp "+r.tag+"/filters.artifact node/"+r.digest+"/filters.artifact")
		out := s.must(t, "seccompile eval -a aarch64 node/"+r.digest+"/filters.artifact mount")
		if !strings.Contains(out, r.mount) {
			t.Errorf("%s: %s", r.tag, out)
		}
	}
}
