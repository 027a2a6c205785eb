package lint

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/language"
)

// ArtifactType is the media type of artifacts that hold a seccomp profile.
const ArtifactType = "application/vnd.cncf.seccomp-profile.config.v1+json"

// Media types of the image specification (image-spec: media-types.md).
const (
	manifestType   = "application/vnd.oci.image.manifest.v1+json"
	emptyType      = "application/vnd.oci.empty.v1+json"
	titleOfALayer  = "org.opencontainers.image.title"
	tagOfAManifest = "org.opencontainers.image.ref.name"
)

// A Blob is what a manifest says of a part of its artifact.
type Blob struct {
	// Algorithm and Hex are the digest, as "sha256" and 64 digits.
	Algorithm, Hex string
	// Title is the name of the file that it was made of, "" if the manifest does not say.
	Title string
	// About is what tells it from others of the list that it is in: its platform, tag or title.
	About string
}

// String returns the digest.
func (b Blob) String() string { return b.Algorithm + ":" + b.Hex }

// Verify returns an error unless a blob has this content.
func (b Blob) Verify(data []byte) error {
	if got := hex.EncodeToString(digester(b.Algorithm)(data)); got != b.Hex {
		return fmt.Errorf("the content has another digest: %s:%s", b.Algorithm, got)
	}
	return nil
}

// IsManifest reports whether a text is the manifest of an artifact or image, or the index of
// several, and not a profile.
func IsManifest(s *language.Source) bool {
	doc, err := s.JSON()
	if err != nil {
		return false
	}
	root := doc.Root()
	return root.Member("schemaVersion").Present() && !root.Member("defaultAction").Present()
}

// IsIndex reports whether a manifest, for which [IsManifest] is true, is the index of several.
func IsIndex(s *language.Source) bool {
	doc, err := s.JSON()
	return err == nil && doc.Root().Member("manifests").Present()
}

// Parts returns what a manifest or an index lists, and what that is: layers or manifests. What
// the artifact is for does not matter: CRI-O, the Security Profiles Operator and this project
// give different types to what they push, and the content says what it is.
func Parts(s *language.Source) (parts []Blob, what string, err error) {
	doc, problem := s.JSON()
	if problem != nil {
		return nil, "", problem
	}
	list, what := "layers", "layer"
	if IsIndex(s) {
		list, what = "manifests", "manifest"
	}
	for i, v := range doc.Root().Member(list).Elements() {
		b, ok := ParseDigest(v.Member("digest").Text())
		if !ok {
			return nil, what, fmt.Errorf("%s/digest: %q is not sha256: or sha512: and its hexadecimal digits", element("/"+list, i), v.Member("digest").Text())
		}
		b.describe(v)
		parts = append(parts, b)
	}
	return parts, what, nil
}

// describe reads what a descriptor says of its content (image-spec: descriptor.md, annotations.md).
func (b *Blob) describe(v document.Value) {
	notes, platform := v.Member("annotations"), v.Member("platform")
	b.Title = notes.Member(titleOfALayer).Text()
	os, architecture := platform.Member("os").Text(), platform.Member("architecture").Text()
	if os != "" && architecture != "" {
		b.About = os + "/" + architecture
	}
	b.About = cmp.Or(b.About, notes.Member(tagOfAManifest).Text(), b.Title)
}

// CheckManifest reviews the manifest of an artifact that runtimes pull for Kubernetes, for which
// [IsManifest] is true. open returns the content of a blob. The layer is nil unless there is
// exactly one, and it can be reviewed as a profile.
func CheckManifest(s *language.Source, open func(Blob) ([]byte, error)) (report *Report, layer []byte) {
	r := &reviewer{options: Options{For: KEP6061}, source: s, counts: map[string]int{}}
	r.review, r.manifest = r, true
	r.doc, _ = s.JSON()
	layer = r.checkManifest(open)
	r.finish()
	return &r.Report, layer
}

func (r *reviewer) checkManifest(open func(Blob) ([]byte, error)) []byte {
	if !r.checkTypes() {
		return nil
	}
	r.checkDescriptor("/config", r.doc.Lookup("/config"))
	n := 0
	for range r.doc.Lookup("/layers").Elements() {
		n++
	}
	if n != 1 {
		r.refusedArtifact("/layers", fmt.Sprintf("the number of layers is %d, and runtimes accept one layer", n))
		return nil
	}
	b, ok := r.checkDescriptor("/layers/0", r.doc.Lookup("/layers/0"))
	if !ok {
		return nil
	}
	return r.layer(b, open)
}

func (r *reviewer) refusedArtifact(pointer, reason string) {
	r.found(Finding{ID: "artifact", Pointer: pointer, Reason: reason})
}

// checkTypes reports media types that runtimes refuse, and whether this is a manifest at all.
func (r *reviewer) checkTypes() bool {
	root := r.doc.Root()
	if root.Member("manifests").Present() {
		r.found(Finding{ID: "artifact", Pointer: "/manifests", Reason: "this is the index of several artifacts, and runtimes expect the manifest of one",
			Fix: "refer to the manifest by its own digest"})
		return false
	}
	if t := root.Member("mediaType"); t.Present() && !t.Is(manifestType) {
		r.refusedArtifact("/mediaType", "runtimes expect a manifest of type "+manifestType+", not "+strconv.Quote(t.Text()))
		return false
	}
	config, artifact := root.Member("config").Member("mediaType").Text(), root.Member("artifactType").Text()
	switch {
	case config == emptyType && artifact != ArtifactType:
		r.refusedArtifact("/artifactType", "the config is empty, so artifactType must be "+ArtifactType+", not "+strconv.Quote(artifact))
	case config == emptyType:
	case config != ArtifactType:
		r.refusedArtifact("/config/mediaType", "the media type of the config must be "+ArtifactType+", not "+strconv.Quote(config))
	case artifact != "" && artifact != config:
		r.refusedArtifact("/artifactType", "artifactType and the media type of the config differ: "+strconv.Quote(artifact))
	}
	return true
}

// checkDescriptor reports what runtimes refuse in a descriptor. ok is false if it does not name
// a blob that can be looked at.
func (r *reviewer) checkDescriptor(pointer string, v document.Value) (b Blob, ok bool) {
	for range v.Member("urls").Elements() {
		r.refusedArtifact(pointer+"/urls", "runtimes refuse a blob that is to be fetched from another place")
		break
	}
	size, err := strconv.ParseInt(v.Member("size").Text(), 10, 64)
	switch {
	case err != nil || size < 0:
		r.refusedArtifact(pointer+"/size", "the size is not a number of bytes")
		return b, false
	case size > maxArtifact:
		r.found(tooLarge(pointer+"/size", "the blob", size))
	}
	if b, ok = ParseDigest(v.Member("digest").Text()); !ok {
		r.refusedArtifact(pointer+"/digest", "the digest is not sha256: or sha512: and its hexadecimal digits")
	}
	b.describe(v)
	return b, ok
}

// ParseDigest reads a digest such as "sha256:" and 64 digits (image-spec: descriptor.md: Digests).
func ParseDigest(s string) (b Blob, ok bool) {
	b.Algorithm, b.Hex, _ = strings.Cut(s, ":")
	sum := digester(b.Algorithm)
	raw, err := hex.DecodeString(b.Hex)
	return b, sum != nil && err == nil && len(raw) == len(sum(nil)) && strings.ToLower(b.Hex) == b.Hex
}

// digester returns the function of a digest, nil if it is not one that images have.
func digester(algorithm string) func([]byte) []byte {
	switch algorithm {
	case "sha256":
		return func(data []byte) []byte { sum := sha256.Sum256(data); return sum[:] }
	case "sha512":
		return func(data []byte) []byte { sum := sha512.Sum512(data); return sum[:] }
	}
	return nil
}

// layer returns the content of the layer, or nil after reporting what is wrong with it.
func (r *reviewer) layer(b Blob, open func(Blob) ([]byte, error)) []byte {
	const at = "/layers/0"
	data, err := open(b)
	if err != nil {
		r.found(Finding{ID: "artifact", Pointer: at + "/digest", Reason: err.Error(), Fix: "put it beside the manifest, in a file called " + b.Hex})
		return nil
	}
	if err := b.Verify(data); err != nil {
		r.refusedArtifact(at+"/digest", err.Error())
		return nil
	}
	if size := r.doc.Lookup(at + "/size").Text(); size != strconv.Itoa(len(data)) {
		r.refusedArtifact(at+"/size", fmt.Sprintf("the layer has %d bytes", len(data)))
	}
	if isArchive(data) {
		r.refusedArtifact(at, "the layer is an archive, and runtimes expect the JSON as it is")
		return nil
	}
	return data
}

// isArchive reports whether data begins like gzip, zstd or tar.
func isArchive(data []byte) bool {
	const magic = 257 // of tar
	return bytes.HasPrefix(data, []byte{0x1f, 0x8b}) || bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(data) > magic && bytes.HasPrefix(data[magic:], []byte("ustar"))
}
