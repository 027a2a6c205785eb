package oci

import (
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/internal/certificate"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Cache is a directory that keeps compiled filters from one process to the next. Any
// number of goroutines and processes may use it at once, and it may be removed at any
// time.
//
// The key of a filter is everything that decides its bytes: the profile without the
// listener's path and metadata, the options, the native ABI, and the compiler and tables
// themselves. A filter is proved before it is stored and verified before it is used. Cache errors are never fatal: the
// profile is compiled as if there were no cache. A filter from the cache repeats no
// warnings to Options.Debug and does not know which rules its instructions come from.
//
// Whoever can write to the directory decides what containers may do. So the cache
// refuses a directory that is a symbolic link, that group or others can write to, or
// that belongs to anybody but the process's user and root. Choosing safe parent
// directories is up to the caller. A power failure can lose the cache: nothing is
// synchronised with the disk.
//
// Compiling takes a fraction of a millisecond. A cache pays off where containers
// start by the hundreds; docs/FLEET.md has the numbers. It works on Linux only: on other
// systems every use reports [errors.ErrUnsupported].
type Cache struct {
	// Dir is the directory. The cache creates it with mode 0700 if it does not exist;
	// its parent must exist.
	Dir string
	// Entries is how many filters are kept, where 0 means 256. None takes more than
	// 40 KiB and most take 3. A full cache drops those that have not been used for
	// longest, to the hour. Besides the entries the directory has at most one file: the
	// one that the next entry is written to.
	Entries int
	// Report receives the cache's errors. They wrap [ErrUntrusted] if the cache may have
	// been tampered with, and otherwise the error of the call that failed. nil drops them.
	Report func(error)
}

// ErrUntrusted is wrapped by the errors that [Cache] reports about a directory or a file
// that others can write to, or that is not as a cache left it.
var ErrUntrusted = errors.New("not trusted")

const (
	defaultEntries = 256
	maxEntry       = 40 << 10 // bytes: a program of full length and its description
)

// compile is Compile with a cache.
func (c *Cache) compile(s *specs.LinuxSeccomp, o Options) (*Filter, error) {
	name := entryName(s, &o.Policy)
	f, err := c.load(name)
	c.report(err)
	if f == nil {
		var meant *policy.Resolved
		if f, meant, err = compileUncached(s, o); err != nil {
			return nil, err
		}
		c.report(c.save(name, f, meant, &o.Policy))
		return f, nil
	}
	f.ListenerPath, f.ListenerMetadata = s.ListenerPath, s.ListenerMetadata
	if o.Debug != nil {
		o.Debug("seccomp filter is entry " + name + " of " + c.Dir)
	}
	return f, nil
}

func (c *Cache) report(err error) {
	if err != nil && c.Report != nil {
		c.Report(fmt.Errorf("oci: cache %s: %w", c.Dir, err))
	}
}

// save puts a filter into the cache.
func (c *Cache) save(name string, f *Filter, meant *policy.Resolved, o *policy.Options) error {
	data, err := encodeEntry(name, f, meant, o)
	if err != nil {
		return err
	}
	return c.write(name, data)
}

// load returns the filter of an entry, or nil if there is none. It removes an entry
// that is not what it should be.
func (c *Cache) load(name string) (*Filter, error) {
	data, err := c.read(name)
	if data == nil {
		return nil, err
	}
	f, err := decodeEntry(name, data)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("entry %s: %w", name, err), c.remove(name))
	}
	return f, nil
}

// An entry is an artifact whose profile is the name of the entry, so that one digest
// covers both and the command can show it.

func encodeEntry(name string, f *Filter, meant *policy.Resolved, o *policy.Options) ([]byte, error) {
	p := artifact.Program{Filter: f.Program, Flags: f.Flags, Proof: &artifact.Proof{Policy: certificate.PolicyDigest(meant)}}
	for _, a := range meant.ABIs() {
		p.ABIs = append(p.ABIs, a.String())
		if a.GOARCH() != "" {
			p.GOARCH = append(p.GOARCH, a.GOARCH())
		}
	}
	a := artifact.Artifact{
		Tool: "seccompile oci.Cache", Tables: syscalltables.Kernel().String(), Profile: digestPrefix + name,
		Reading: artifact.Reading{
			Compat: o.Mode.String(), ENOSYS: o.ENOSYS.String(), BadArch: o.BadArch.String(), StrictestWins: o.StrictestWins,
		},
		Programs: []artifact.Program{p},
	}
	return a.AppendBinary(nil)
}

func decodeEntry(name string, data []byte) (*Filter, error) {
	a, err := artifact.Decode(data)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	case a.Profile != digestPrefix+name:
		return nil, fmt.Errorf("%w: the entry of %s", ErrUntrusted, a.Profile)
	case len(a.Programs) != 1:
		return nil, fmt.Errorf("%w: %d programs", ErrUntrusted, len(a.Programs))
	case a.Programs[0].Proof == nil:
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, artifact.ErrUnproved)
	}
	p := &a.Programs[0]
	return &Filter{Program: p.Filter, Flags: p.Flags}, nil
}

// digestPrefix comes before the digits of a digest in an artifact.
const digestPrefix = "sha256:"
