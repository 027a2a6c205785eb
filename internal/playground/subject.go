package playground

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// maxSource bounds the text of a source in bytes.
const maxSource = 4 << 20

var tooLarge = failure.Usagef("the text is larger than %d MiB", maxSource>>20).
	Hintf("use the command, which takes more")

// A subject is a source for a target, with what was found out about it so far. Its methods
// beyond those of this file are for subjects without an error.
type subject struct {
	Subject
	in       *intake.Input
	flags    intake.Target
	compiled *intake.Compiled // of a profile
	filter   *cbpf.Program
	abis     []arch.ABI
	err      error // why it has no meaning

	// What follows is made when it is asked for.
	places   *places
	checked  *answer.Checked
	reaching *reaching
	drawings map[drawn]*graph.Graph
}

func newSubject(of Subject) *subject {
	s := &subject{Subject: of}
	if s.err = s.open(); s.err == nil {
		s.err = s.compile()
	}
	return s
}

// same reports whether a subject is this one.
func (s *subject) same(o *Subject) bool {
	a, b := &s.Source, &o.Source
	t, u := &s.Target, &o.Target
	return a.Text == b.Text && a.Binary == b.Binary && a.Name == b.Name && a.Language == b.Language && slices.Equal(a.Settings, b.Settings) &&
		slices.Equal(t.ABIs, u.ABIs) && t.Mode == u.Mode && slices.Equal(t.Caps, u.Caps) && t.Kernel == u.Kernel &&
		t.ENOSYS == u.ENOSYS && t.BadArch == u.BadArch && t.Consumer == u.Consumer
}

// name names the source in messages.
func (s *Source) name() string { return failure.Shown(cmp.Or(s.Name, "the source")) }

// open finds out what the source is, and what it is to be read for.
func (s *subject) open() error {
	data := []byte(s.Source.Text)
	if s.Source.Binary {
		var err error
		if data, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s.Source.Text), "")); err != nil {
			return failure.Usagef("%s: not base64: %w", s.Source.name(), err)
		}
	} else if filter := pasted(s.Source.Text); filter != nil {
		data = filter
	}
	if len(data) > maxSource {
		return tooLarge
	}
	s.in = intake.New(s.Source.Name, s.Source.name(), data)
	t := &s.Target
	s.flags = intake.Target{
		ABIs: t.ABIs, Kernel: t.Kernel, Settings: s.Source.Settings,
		ENOSYS: t.ENOSYS, Compat: t.Mode, BadArch: t.BadArch,
		Host: intake.Host{Accept: s.fits},
	}
	if len(t.Caps) > 0 {
		s.flags.Caps = t.Caps
	}
	if s.Source.Language != "" {
		s.flags.Languages = []string{s.Source.Language}
	}
	return nil
}

// pasted returns the bytes of a raw filter that was pasted as base64 or as hexadecimal digits,
// nil for any other text.
func pasted(text string) []byte {
	const most = 2 * 8 * cbpf.MaxInstructions * 2 // with white space
	if len(text) > most {
		return nil
	}
	digits := strings.Join(strings.Fields(text), "")
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString} {
		data, err := decode(digits)
		if err != nil || len(data) == 0 {
			continue
		}
		if _, ok := cbpf.Sniff(data); ok {
			return data
		}
	}
	return nil
}

// maxClauses bounds the rules of one call: the compiler and the proof recurse over them, and the
// stack of a browser's worker is short. Twice as many still worked in Chromium.
const maxClauses = 1000

// fits returns an error for policies that would exceed the stack.
func (s *subject) fits(r *policy.Resolved) error {
	for i := range r.Spaces {
		for _, c := range r.Spaces[i].Calls {
			if n := len(c.Clauses); n > maxClauses {
				return failure.Usagef("%s: %d rules are about %s, and this page takes at most %d for one call", s.in.Name, n,
					policy.Names().Syscall(r.Spaces[i].Audit, c.NR), maxClauses).Hintf("use the command, which takes more")
			}
		}
	}
	return nil
}

// compile makes the filter, or takes the one that the source is. A filter for no ABI that shows
// is looked at as one for the usual machine of its byte order.
func (s *subject) compile() error {
	if s.in.Kind == 0 {
		return s.in.Unknown()
	}
	if err := s.chooseABIs(); err != nil {
		return err
	}
	var err error
	if s.in.Kind == intake.KindProfile {
		if s.compiled, err = s.flags.Compile(s.in); err != nil {
			return err
		}
		s.filter, s.abis = s.compiled.Program, s.compiled.Resolved.ABIs()
		return nil
	}
	if err := s.flags.CheckSettings(false); err != nil {
		return err
	}
	if s.filter, err = s.in.Program(s.flags.ABIs...); err != nil {
		return err
	}
	if s.abis, err = intake.ParseABIs(s.flags.ABIs); err != nil {
		return err
	}
	for _, a := range s.abis {
		if a.ByteOrder() != s.filter.Order() {
			return failure.Usagef("-a: %v is %s-endian, the filter is %s-endian", a,
				intake.OrderName(a.ByteOrder()), intake.OrderName(s.filter.Order()))
		}
	}
	if len(s.abis) == 0 {
		s.abis = stats.Known(s.filter)
	}
	if len(s.abis) == 0 {
		s.abis = []arch.ABI{usual(s.filter.Order())}
	}
	return nil
}

// side returns the subject as one of the command's: what explain and diff are about.
func (s *subject) side() *answer.Side {
	if s.compiled != nil {
		return answer.ProfileSide(s.in.Name, s.compiled)
	}
	return &answer.Side{Compiled: &intake.Compiled{Program: s.filter}, Name: s.in.Name, Subject: proof.Program(s.filter)}
}

// usual returns the ABI that is assumed where nothing says which one is meant.
func usual(o binary.ByteOrder) arch.ABI {
	if o == binary.BigEndian {
		return arch.S390X
	}
	return arch.X86_64
}

// chooseABIs chooses those that the source names where the target does not, so that the
// answers are the same on every host.
func (s *subject) chooseABIs() error {
	if len(s.flags.ABIs) > 0 {
		return nil
	}
	switch s.in.Kind {
	case intake.KindProfile:
		s.flags.ABIs = []string{arch.X86_64.String()}
		lang, place, err := s.flags.Place(s.in)
		if err != nil {
			return err
		}
		reading, err := s.in.Read(intake.ForTargets(lang, nil), place)
		if err != nil {
			return err
		}
		if named := intake.ABINames(lint.ABIs(reading.Policy)); len(named) > 0 {
			s.flags.ABIs = named
		}
	case intake.KindArtifact:
		file, err := artifact.Decode(s.in.Data)
		if err != nil || len(file.Programs) == 0 {
			return nil // it says so when it is read
		}
		s.flags.ABIs = file.Programs[0].ABIs
		for _, p := range file.Programs {
			if slices.Contains(p.ABIs, arch.X86_64.String()) {
				s.flags.ABIs = p.ABIs
			}
		}
	}
	return nil
}

// language returns the name of the source's language, and whether it was detected.
func (s *subject) language() (name string, detected bool) {
	if s.in == nil || s.in.Kind != intake.KindProfile {
		return "", true
	}
	if name := s.Source.Language; name != "" {
		name, _, _ = strings.Cut(name, "@")
		return name, false
	}
	name, _ = intake.SniffLanguage(s.in)
	return cmp.Or(name, string(oci.Detect(s.in.Source))), true
}
