// Package artifact reads and writes the file that carries compiled filters to where they
// are loaded. A build that has profile, tables, compiler and proof makes the file once;
// a node that has none of them checks and loads it. Start with [Decode] on a node, and
// with an [Artifact] and its AppendBinary in a build.
//
//	a, err := artifact.Decode(data)
//	p, err := a.For(runtime.GOARCH)
//	err = loader.Install(p.Filter, loader.Options{Flags: p.Flags})
//
// An artifact holds programs of one profile for several kernels, each for the ABIs of
// one of them. It has no signature: an OCI registry and its tools sign and carry it, as
// docs/FLEET.md describes.
//
// # Format
//
// The file is text, for people, and after it the programs, for kernels. Each line
// ends in a line feed; one space separates words. The second line is the SHA-256 of
// everything after it.
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
//	proved sha256:9f2c...           equal to the policy of that digest, or: no
//	certificate 1                   or: none, and none of the rest
//	longest-path 19
//	bitmap x86_64 0-40,42-55        for each ABI that has one
//	program 120 little              and so on
//	end
//
// The programs follow in the same order, as arrays of struct sock_filter in their
// byte order, with nothing between them. There is one way to write an artifact, and
// [Decode] accepts no other.
package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
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

// What a caller can react to. Other errors mean that the file was not made by this
// module, or that an Artifact cannot be written.
var (
	// ErrDamaged: the file is not what was written. Fetch it again.
	ErrDamaged = errors.New("damaged or cut short")
	// ErrNewer: the file has something that this release does not know. Nothing of it
	// may be ignored, since a filter could then allow more than its profile.
	ErrNewer = errors.New("needs a later release of seccompile")
	// ErrNoFilter: nothing was compiled for this machine.
	ErrNoFilter = errors.New("no filter")
	// ErrUnproved: nobody proved that the filter means what its profile says. Compile
	// the profile with this module, or decide to trust it and take it from Programs.
	ErrUnproved = errors.New("not proved")
)

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

// A Reading is the options that decide what a profile means. It is proof.Reading, declared
// again because a node that loads artifacts must not link the prover; Go converts one
// to the other.
type Reading struct {
	Compat        string // "runc" or "strict"
	ENOSYS        string // "profile", "off" or "kernel:X.Y"
	BadArch       string // an action, such as "KILL_THREAD"
	StrictestWins bool
}

// A Program is a filter with everything needed to install it. It needs a listener if
// Filter returns [cbpf.Notify].
type Program struct {
	Filter *cbpf.Program
	// ABIs are those that the profile was resolved for, by their libseccomp names.
	// Calls through any other ABI get the bad-arch action.
	ABIs []string
	// GOARCH has Go's names of these ABIs, where Go has one. [Artifact.For] looks for
	// them, so that it needs no table.
	GOARCH []string
	// Flags are the filter flags that the profile asks for, of [cbpf.ProfileFlags].
	// nil means that it does not say, empty that it asks for none. The command leaves
	// out TSYNC, since the loader decides whether threads are synchronised.
	Flags []cbpf.Flag
	// Proof is what was proved of the filter, nil if nothing was: then [Artifact.For]
	// refuses it.
	Proof *Proof
}

// A Proof says that a filter was proved to mean what the profile does, for every
// call. Trust it as far as you trust who signed the artifact, or prove it again.
type Proof struct {
	Policy string // digest of the resolved profile, see docs/PROOF.md
	// LongestPath is how many instructions one call executes at most. With Bitmap, and
	// with the rest of the artifact, it makes a certificate (docs/PROOF.md). 0 means
	// that nobody asked for a certificate, and leaves Bitmap empty.
	LongestPath int
	Bitmap      []CachedCalls // see docs/PROOF.md
}

// CachedCalls is the numbers of one ABI that kernels allow without running the
// filter, as in "0-16,19". See [Reading].
type CachedCalls struct{ ABI, Numbers string }

// Digest returns the [Digest] of the filter's bytes as the kernel reads them. It is the
// same as sha256sum(1) of the raw file.
func (p *Program) Digest() string {
	b, _ := p.Filter.AppendBinary(nil) // the error is always nil
	return Digest(b)
}

// Digest returns the SHA-256 of data in the form that artifacts and registries
// use: "sha256:" and 64 lower-case hexadecimal digits.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return digestPrefix + hex.EncodeToString(sum[:])
}

const digestPrefix = "sha256:"

// For returns the program for the kernel of a Go program with the given GOARCH. Pass
// [runtime.GOARCH] for the running one. The error wraps [ErrNoFilter] or [ErrUnproved].
func (a *Artifact) For(goarch string) (*Program, error) {
	var known []string
	for i := range a.Programs {
		p := &a.Programs[i]
		if slices.Contains(p.GOARCH, goarch) && p.Proof == nil {
			return nil, &wrapped{"artifact: the filter for " + goarch + " was ", ErrUnproved, " (compile its profile again)"}
		}
		if slices.Contains(p.GOARCH, goarch) {
			return p, nil
		}
		known = append(known, p.ABIs...)
	}
	has := "none at all"
	if len(known) > 0 {
		has = "filters for " + strings.Join(known, ", ")
	}
	return nil, &wrapped{"artifact: ", ErrNoFilter, " for " + goarch + " (there are " + has + ")"}
}
