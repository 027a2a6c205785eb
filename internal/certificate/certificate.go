// Package certificate writes down what was proved of a filter, and digests of policies and
// programs. It is apart from package proof, so that a program that proves and loads filters
// does not link a hash function, which since Go 1.24 brings all of FIPS 140.
package certificate

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// Version is the version of the certificates that New makes. It grows when a field changes
// its meaning, or when a digest is taken of another text.
const Version = 1

// A Certificate says, as a JSON document, what was proved of a program: enough to
// prove it again and to see that nothing has changed since. It has no signature;
// to believe one, check it. Equal inputs make equal certificates.
type Certificate struct {
	Version int `json:"version"` // the constant
	// Tool is the version of the program that made the certificate, and Tables the
	// Linux release of its syscall tables. New leaves both to its caller.
	Tool   string `json:"tool"`
	Tables string `json:"tables"`
	// Profile is the PolicyDigest, Program the ProgramDigest.
	Profile string   `json:"profile"`
	Program string   `json:"program"`
	ABIs    []string `json:"abis"` // that the profile was resolved for, in order
	Options Reading  `json:"options"`
	// Result is the [proof.Verdict]: "same" if the program means what the
	// profile does.
	Result       string `json:"result"`
	Instructions int    `json:"instructions"`
	LongestPath  int    `json:"longestPath"` // see [proof.Report]
	// Bitmap has an entry for each of the ABIs for which kernels keep a bitmap of
	// calls that are always allowed.
	Bitmap []CachedCalls `json:"bitmap"`
}

// A Reading is the options that decide what a profile means, as
// [policy.Options] has them.
type Reading struct {
	Compat        string `json:"compat"`  // policy.Mode
	ENOSYS        string `json:"enosys"`  // policy.ENOSYS
	BadArch       string `json:"badArch"` // cbpf.Action
	StrictestWins bool   `json:"strictestWins"`
}

// CachedCalls is the numbers of one ABI that kernels since Linux 5.11 allow
// without running the program: intervals, as in "0-16,19", of the 1024 numbers
// from the ABI's first.
type CachedCalls struct {
	ABI     string `json:"abi"`
	Numbers string `json:"numbers"`
}

// New checks p as [proof.Check] does, and puts what it finds into a certificate. o are
// the options that want was resolved with; their ABIs do not matter. New returns a
// certificate whatever the report says: rely on one only if its report is OK. The error
// is as for Check, and then there is no certificate.
func New(want *policy.Resolved, o policy.Options, p *cbpf.Program, l proof.Limits) (Certificate, proof.Report, error) {
	r, err := proof.Check(proof.Policy(want), p, l)
	if err != nil {
		return Certificate{}, r, err
	}
	c := Certificate{
		Version: Version,
		Profile: PolicyDigest(want),
		Program: ProgramDigest(p),
		Options: Reading{o.Mode.String(), o.ENOSYS.String(), o.BadArch.String(), o.StrictestWins},
		Result:  r.Verdict.String(), Instructions: p.Len(), LongestPath: r.LongestPath,
		Bitmap: []CachedCalls{},
	}
	for i := range want.Spaces {
		for _, a := range want.Spaces[i].ABIs {
			c.ABIs = append(c.ABIs, a.String())
			if cached, ok := r.Bitmap(a); ok {
				c.Bitmap = append(c.Bitmap, CachedCalls{a.String(), text(cached)})
			}
		}
	}
	return c, r, nil
}

// text returns intervals as in "0-16,19".
func text(l policy.Intervals) string {
	words := make([]string, len(l))
	for i, interval := range l {
		words[i] = interval.String()
	}
	return strings.Join(words, ",")
}

// ProgramDigest returns the SHA-256 of a program as kernels take it, an array of
// struct sock_filter in the target's byte order: "sha256:" and 64 lower-case
// digits. Of a raw file it is what sha256sum(1) prints.
func ProgramDigest(p *cbpf.Program) string {
	b, _ := p.AppendBinary(nil) // the error is always nil
	return digest(b)
}

// PolicyDigest returns the SHA-256 of a policy, written as [ProgramDigest]'s. It
// is taken of a text that has everything that decides a call and nothing else: no
// names of calls, no places in a file. The lines of the text, each ended by a line
// feed, are
//
//	seccompile policy 1
//	default ACTION
//	bad-arch ACTION
//
// and for each element of Spaces, in order,
//
//	space AUDIT ABI...
//	unknown FIRST LAST ENOSYS      for each interval of Unknown
//	foreign FIRST LAST             for each interval of Foreign
//	call NR                        for each of Calls
//	clause ACTION                  for each of its Clauses
//	if ARG OP MASK VALUE           for each of its Conds
//
// where ABI and OP are the words of their String methods, ARG is a decimal digit,
// MASK and VALUE are 0x and 16 hexadecimal digits, and all others 0x and 8.
func PolicyDigest(r *policy.Resolved) string {
	if r == nil {
		r = &policy.Resolved{}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "seccompile policy 1\ndefault 0x%08x\nbad-arch 0x%08x\n", uint32(r.Default), uint32(r.BadArch))
	for i := range r.Spaces {
		s := &r.Spaces[i]
		fmt.Fprintf(&b, "space 0x%08x", s.Audit)
		for _, a := range s.ABIs {
			fmt.Fprintf(&b, " %v", a)
		}
		b.WriteByte('\n')
		for _, x := range s.Ranges {
			fmt.Fprintf(&b, "range 0x%08x 0x%08x 0x%08x\n", x.First, x.Last, uint32(x.Action))
		}
		for _, call := range s.Calls {
			fmt.Fprintf(&b, "call 0x%08x\n", call.NR)
			for _, clause := range call.Clauses {
				fmt.Fprintf(&b, "clause 0x%08x\n", uint32(clause.Action))
				for _, c := range clause.Conds {
					fmt.Fprintf(&b, "if %d %v 0x%016x 0x%016x\n", c.Arg, c.Op, c.Mask, c.Value)
				}
			}
		}
	}
	return digest(b.Bytes())
}

func digest(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

// Parse reads a certificate. It refuses fields and versions that it
// does not know.
func Parse(data []byte) (*Certificate, error) {
	var c Certificate
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("not a certificate: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a certificate: there is text after it")
	}
	if c.Version != Version {
		return nil, fmt.Errorf("certificate: version %d is not supported, only version %d is (make a new certificate)",
			c.Version, Version)
	}
	return &c, nil
}

// A Mismatch is a field in which two certificates differ.
type Mismatch struct {
	Field     string // its place in the document: "program", "options.enosys"
	Got, Want string // "" if it is missing
}

// Against returns the fields of c that are not as those of want, in the order of
// the document; none if the certificates are equal.
func (c *Certificate) Against(want *Certificate) []Mismatch {
	got, expected := c.fields(), want.fields()
	var out []Mismatch
	for _, f := range expected {
		if v, ok := find(got, f.name); !ok || v != f.value {
			out = append(out, Mismatch{f.name, v, f.value})
		}
	}
	for i, f := range got {
		_, known := find(expected, f.name)
		_, again := find(got[:i], f.name)
		if !known || again {
			out = append(out, Mismatch{f.name, f.value, ""})
		}
	}
	return out
}

// An entry is one field of a certificate as text.
type entry struct{ name, value string }

func (c *Certificate) fields() []entry {
	list := []entry{
		{"version", strconv.Itoa(c.Version)},
		{"tool", c.Tool},
		{"tables", c.Tables},
		{"profile", c.Profile},
		{"program", c.Program},
		{"abis", fmt.Sprintf("%q", c.ABIs)},
		{"options.compat", c.Options.Compat},
		{"options.enosys", c.Options.ENOSYS},
		{"options.badArch", c.Options.BadArch},
		{"options.strictestWins", strconv.FormatBool(c.Options.StrictestWins)},
		{"result", c.Result},
		{"instructions", strconv.Itoa(c.Instructions)},
		{"longestPath", strconv.Itoa(c.LongestPath)},
	}
	for _, b := range c.Bitmap {
		list = append(list, entry{"bitmap." + b.ABI, b.Numbers})
	}
	return list
}

func find(list []entry, name string) (value string, ok bool) {
	for _, f := range list {
		if f.name == name {
			return f.value, true
		}
	}
	return "", false
}
