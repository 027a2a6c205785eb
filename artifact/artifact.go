// Package artifact is the file that carries compiled filters to where they are
// loaded: made once, by a build that has profile, tables, compiler and proof, and
// checked and loaded by a node that has none of them.
//
//	a, err := artifact.Decode(data)
//	p, err := a.For(runtime.GOARCH)
//	err = loader.Install(p.Filter, loader.Options{Flags: flags}) // of p.Flags
//
// An artifact holds programs of one profile for several kernels, each for the
// ABIs of one of them. It has no signature: what signs and carries it is an OCI
// registry and its tools, as docs/FLEET.md describes.
//
// # Format
//
// The file is text, for people, and after it the programs, for kernels. Each line
// ends in a line feed; words are parted by one space. The second line is the
// SHA-256 of everything behind it.
//
//	seccompile artifact 1
//	sha256:bc5b...
//	tool seccompile v1.0.0
//	tables 7.2
//	profile sha256:03d1...
//	compat runc
//	enosys profile
//	bad-arch KILL_THREAD
//	strictest-wins no
//	program 214 little              instructions and byte order
//	abis x86_64 x86 x32
//	goarch amd64 386                or: none
//	flags SECCOMP_FILTER_FLAG_LOG   or: none, or: unset
//	listener no
//	digest sha256:7a0e...           of the program
//	certificate 1                   or: none, and none of the rest
//	policy sha256:9f2c...
//	longest-path 19
//	bitmap x86_64 0-40,42-55        for each ABI that has one
//	program 120 little              and so on
//	end
//
// The programs follow in the same order, as arrays of struct sock_filter in their
// byte order and nothing between them. There is one way to write an artifact, and
// [Decode] takes no other.
package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
)

// MediaType is the type of an artifact in an OCI registry, both as the artifactType
// of the manifest and as the mediaType of its only layer.
const MediaType = "application/vnd.seccompile.filters.v1"

// MaxSize is the size of the largest artifact in bytes: room for a program of full
// length for each ABI that Linux has.
const MaxSize = 1 << 20

// An Artifact is the filters of one profile. Its strings are printable ASCII.
type Artifact struct {
	// Tool is the program that compiled it and its version, as in "seccompile
	// v1.0.0", and Tables the Linux release of that program's syscall tables.
	Tool, Tables string
	// Profile is the [Digest] of the profile's file.
	Profile string
	Reading Reading
	// Programs are in no particular order. No two are for the same ABI.
	Programs []Program
}

// A Reading is the options that decide what a profile means: those of a proof's
// certificate, in the same words.
type Reading struct {
	Compat        string // "runc" or "strict"
	ENOSYS        string // "profile", "off" or "kernel:X.Y"
	BadArch       string // an action, such as "KILL_THREAD"
	StrictestWins bool
}

// A Program is a filter with all that is needed to install it.
type Program struct {
	Filter *cbpf.Program
	// ABIs are those that the profile was resolved for, by their libseccomp names.
	// On calls through any other the filter takes the bad-arch action.
	ABIs []string
	// GOARCH has Go's name of each of the ABIs that Go has one for. It is how a
	// program knows its own without a table.
	GOARCH []string
	// Flags are the names of the filter flags that the profile asks for, without
	// TSYNC: whether threads are synchronised is for the loader to say. nil means
	// that the profile does not say, empty that it asks for none.
	Flags []string
	// Proof is what was proved of the filter, nil if nothing was.
	Proof *Proof
}

// A Proof says that a filter was proved to mean what the profile does, for every
// call. With the rest of the artifact it has all that a certificate of package
// proof says. To believe it, believe who signed the artifact or prove it again.
type Proof struct {
	Policy      string        // digest of the resolved profile, see proof.PolicyDigest
	LongestPath int           // instructions that one call executes at most
	Bitmap      []CachedCalls // see proof.Certificate
}

// CachedCalls is the numbers of one ABI that kernels allow without running the
// filter, as in "0-16,19".
type CachedCalls struct{ ABI, Numbers string }

// Listens reports whether the filter needs a listener: it has a NOTIFY action.
func (p *Program) Listens() bool { return p.Filter.Returns(cbpf.Notify) }

// Digest returns the [Digest] of the filter as kernels take it. It is
// proof.ProgramDigest and what sha256sum(1) prints of the raw file.
func (p *Program) Digest() string {
	b, _ := p.Filter.AppendBinary(nil) // the error is always nil
	return Digest(b)
}

// Digest returns the SHA-256 of data in the form that artifacts and registries
// have: "sha256:" and 64 lower-case hexadecimal digits.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return digestPrefix + hex.EncodeToString(sum[:])
}

const digestPrefix = "sha256:"

// For returns the program for a Go program of the given GOARCH: of the running
// one's kernel with [runtime.GOARCH].
func (a *Artifact) For(goarch string) (*Program, error) {
	var known []string
	for i := range a.Programs {
		p := &a.Programs[i]
		if slices.Contains(p.GOARCH, goarch) {
			return p, nil
		}
		known = append(known, p.ABIs...)
	}
	return nil, problem("no filter for " + goarch + " (there are filters for " + strings.Join(known, ", ") + ")")
}
