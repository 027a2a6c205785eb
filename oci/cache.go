package oci

import (
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Cache is a directory that keeps compiled filters from one process to the next.
// It may be used by any number of goroutines and processes at once, and may be
// removed at any time.
//
// A filter is found by all that decides its bytes: the profile without the
// listener's path and metadata, the options, the native ABI, and the compiler and
// tables themselves. It is verified before it is used. What the cache cannot do
// makes nothing fail: the profile is compiled then, as without one. A filter that
// comes from the cache comes without warnings for Options.Debug, and does not know
// where its instructions come from.
//
// Whoever may write in the directory decides what containers may do. So one is
// refused that is a symbolic link, that group or others may write in, or that
// belongs to somebody other than the process and root. The directories above it are
// for the caller to choose well. What is in the cache is lost in a power failure at
// worst: nothing is synchronised with the disk.
//
// Compiling takes a fraction of a millisecond. A cache pays off where containers
// start by the hundreds; docs/FLEET.md has the numbers. Only Linux has one: on other
// systems every use reports [errors.ErrUnsupported].
type Cache struct {
	// Dir is the directory. If it does not exist it is made, with mode 0700; the one
	// above it must exist.
	Dir string
	// Entries is how many filters are kept, 0 meaning 256; none takes more than 40 KiB
	// and most take 3. When there are as many, those that have not been used for
	// longest, by the hour, make room. Beside them there is at most one file, the one
	// that the next entry is written to.
	Entries int
	// Report gets what the cache could not do: errors to be looked into, because the
	// cache does not work or somebody has worked on it. nil drops them.
	Report func(error)
}

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
		var abis []arch.ABI
		if f, abis, err = compileUncached(s, o); err != nil {
			return nil, err
		}
		c.report(c.save(name, f, abis, &o.Policy))
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
func (c *Cache) save(name string, f *Filter, abis []arch.ABI, o *policy.Options) error {
	data, err := encodeEntry(name, f, abis, o)
	if err != nil {
		return err
	}
	return c.write(name, data)
}

// load returns the filter of an entry, or nil if there is none. An entry that is not
// what it should be is removed.
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

// An entry is an artifact whose profile is the name of the entry, so that it has a
// digest over both, and the command can show it.

func encodeEntry(name string, f *Filter, abis []arch.ABI, o *policy.Options) ([]byte, error) {
	p := artifact.Program{Filter: f.Program}
	for _, a := range abis {
		p.ABIs = append(p.ABIs, a.String())
		if a.GOARCH() != "" {
			p.GOARCH = append(p.GOARCH, a.GOARCH())
		}
	}
	if f.Flags != nil {
		p.Flags = make([]string, len(f.Flags))
	}
	for i, flag := range f.Flags {
		p.Flags[i] = flag.String()
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
		return nil, err
	case a.Profile != digestPrefix+name:
		return nil, errors.New("the entry of " + a.Profile)
	case len(a.Programs) != 1:
		return nil, fmt.Errorf("%d programs", len(a.Programs))
	}
	return fromProgram(&a.Programs[0])
}

// digestPrefix is what artifacts have before the digits that name an entry.
const digestPrefix = "sha256:"
