package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/record"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// An allowing is a profile that allows the calls of a log.
type allowing struct {
	text   []byte
	added  []string // what it did not have before
	left   []string // what it still does not allow, and why
	narrow []string // calls that it allows with the usual arguments
}

// usual returns the call of a log, in which no call has arguments, as most programs make it.
// A recording restricts a few calls by their arguments, whatever it is asked for: it gets a
// socket of the Internet, which brings the other usual families, and no namespaces.
func (s *sighting) usual() (d cbpf.Data, narrow bool) {
	d = s.data
	if s.call() == "socket" {
		const afInet = 2 // linux/socket.h
		d.Args[0] = afInet
	}
	return d, record.Tests(s.abi, s.call())
}

// record adds a call to a recording.
func (x *allowing) record(r *record.Recording, s *sighting) {
	d, narrow := s.usual()
	r.Add(&d)
	if name := s.call(); narrow && !slices.Contains(x.narrow, name) {
		x.narrow = append(x.narrow, name)
	}
}

func (x *allowing) leave(s *sighting, format string, args ...any) {
	if text := s.name() + ": " + fmt.Sprintf(format, args...); !slices.Contains(x.left, text) { // of another program
		x.left = append(x.left, text)
	}
}

// fromLog returns a new profile that allows the calls that were logged and made.
func (j *referee) fromLog(list []*sighting) (*allowing, error) {
	abis := j.abis
	for _, s := range list {
		if abis == nil && s.logged() && s.call() != "" {
			abis = []arch.ABI{s.abi} // the recording adds the others
		}
	}
	r, err := record.New(record.Options{Reading: policy.Options{ABIs: abis}})
	if err != nil {
		return nil, err
	}
	x := new(allowing)
	for _, s := range list {
		switch {
		case !s.logged():
			x.leave(s, "left out, because it was denied and not just logged (%s)", s.answer())
		case s.call() == "":
			x.leave(s, "left out, because the tables have no such call")
		default:
			x.record(r, s)
		}
	}
	if len(r.Calls()) == 0 {
		return nil, failure.Nof("denials: the log has no calls with the action LOG to make a profile of").
			Hintf("a profile with the defaultAction SCMP_ACT_LOG logs what it does not allow")
	}
	res, err := r.Profile()
	if err != nil {
		return nil, err
	}
	text, err := ocijson.Print(res.Policy)
	x.text, x.added = []byte(text), added(res)
	return x, err
}

// amended returns the profile with the fixes for the calls of a log. Calls whose arguments
// matter are allowed only with anyArgs, and what a rule denies stays denied.
func (j *referee) amended(list []*sighting, d *denialsFlags) (*allowing, error) {
	e, err := record.NewEdit(j.in.Source, j.profile.policy)
	if err != nil {
		return nil, err
	}
	x := new(allowing)
	var done []*sighting
	for _, s := range list {
		fix := s.ruling.fix
		switch {
		case !s.ruling.denied:
		case fix == nil:
			x.leave(s, "left out: %s", strings.TrimPrefix(s.ruling.unfixed.Error(), "record: "))
		case s.ruling.refuses():
			x.leave(s, "left out, because the rule at %s denies it (change it by hand if it should not)", s.ruling.answers[0].Pointer)
		case s.ruling.unsure() && !d.anyArgs:
			x.leave(s, "left out, because a record does not have the arguments that the profile tests (--any-args allows it with any)")
		case s.ruling.blind() && !d.anyArgs:
			x.leave(s, "left out, because a record does not have the arguments, which decide what it can do (--any-args allows it with any)")
		case !e.Can(fix):
			x.leave(s, "left out, because the profile is not for %s (list it in architectures, in place of archMap, by hand)", s.abi)
		default:
			e.Add(fix)
			done = append(done, s)
		}
	}
	x.text, x.added = e.Text(j.abi.Main()), added(&record.Result{ABIs: e.ABIs(), Added: e.Rules()})
	return x, j.verify(x, d, done)
}

// verify finds the calls that a changed profile still does not allow.
func (j *referee) verify(x *allowing, d *denialsFlags, done []*sighting) error {
	if len(done) == 0 {
		return nil
	}
	lang, place, err := d.Place(j.in)
	if err != nil {
		return err
	}
	reading, err := intake.New(d.path, "the changed profile", x.text).Read(lang, place)
	if err != nil {
		return err
	}
	p := reading.Policy
	r, _, err := policy.Resolve(p, record.Reading(p, j.profile.reading))
	if err != nil {
		return fmt.Errorf("denials: cannot add the calls to the profile: %w", err)
	}
	for _, s := range done {
		a := r.Eval(&s.data)
		if enosys, _ := s.abi.Errno("ENOSYS"); s.call() == "clone3" && a == cbpf.Errno(enosys) {
			continue // programs call clone then
		}
		if a.Class() != cbpf.Allow {
			x.leave(s, "the changed profile still does not allow it")
		}
	}
	return nil
}
