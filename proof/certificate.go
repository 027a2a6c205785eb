package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// CertificateVersion is the version of the certificates that Certify makes. It
// grows when a field changes its meaning, or when a digest is taken of another text.
const CertificateVersion = 1

// A Certificate says, as a JSON document, what was proved of a program: enough to
// prove it again and to see that nothing has changed since. It has no signature;
// to believe one, check it. Equal inputs make equal certificates.
type Certificate struct {
	Version int `json:"version"` // CertificateVersion
	// Tool is the version of the program that made the certificate, and Tables the
	// Linux release of its syscall tables. Certify leaves both to its caller.
	Tool   string `json:"tool"`
	Tables string `json:"tables"`
	// Profile is the PolicyDigest, Program the ProgramDigest.
	Profile string   `json:"profile"`
	Program string   `json:"program"`
	ABIs    []string `json:"abis"` // that the profile was resolved for, in order
	Options Reading  `json:"options"`
	// Result is the Verdict of the proof: "same" if the program means what the
	// profile does.
	Result       string `json:"result"`
	Instructions int    `json:"instructions"`
	LongestPath  int    `json:"longestPath"` // see Report
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

// Certify checks p as [Check] does, and puts what it finds into a certificate. o
// are the options that want was resolved with; their ABIs do not matter. There is
// a certificate whatever the report says, but none with an error: one that is worth
// anything has a Report that is OK. The error is as for Check.
func Certify(want *policy.Resolved, o policy.Options, p *cbpf.Program, l Limits) (Certificate, Report, error) {
	r, err := Check(Policy(want), p, l)
	if err != nil {
		return Certificate{}, r, err
	}
	c := Certificate{
		Version: CertificateVersion,
		Profile: PolicyDigest(want),
		Program: ProgramDigest(p),
		Options: Reading{o.Mode.String(), o.ENOSYS.String(), o.BadArch.String(), o.StrictestWins},
		Result:  r.Verdict.String(), Instructions: p.Len(), LongestPath: r.LongestPath,
		Bitmap: []CachedCalls{},
	}
	for i := range want.Spaces {
		for _, a := range want.Spaces[i].ABIs {
			c.ABIs = append(c.ABIs, a.String())
			if hasBitmap(a) {
				c.Bitmap = append(c.Bitmap, CachedCalls{a.String(), r.cached(a)})
			}
		}
	}
	return c, r, nil
}

// hasBitmap reports whether kernels keep a bitmap of an ABI's calls: not of
// MIPS's, and x32's numbers are beyond it (kernel/seccomp.c: SECCOMP_ARCH_NATIVE).
func hasBitmap(a arch.ABI) bool {
	main := a.Main()
	return a != arch.X32 && main != arch.MIPS64 && main != arch.MIPSEL64
}

// cached returns the numbers of an ABI's table that the kernel's bitmap has.
func (r *Report) cached(a arch.ABI) string {
	var out []string
	for _, b := range r.Bitmap {
		if b.Audit != a.Audit() {
			continue
		}
		for _, i := range b.Allowed {
			i.First, i.Last = max(i.First, a.Base()), min(i.Last, a.Base()+tableSize-1)
			if i.First <= i.Last {
				out = append(out, i.String())
			}
		}
	}
	return strings.Join(out, ",")
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
		for _, n := range s.Unknown {
			fmt.Fprintf(&b, "unknown 0x%08x 0x%08x 0x%08x\n", n.First, n.Last, uint32(s.ENOSYS))
		}
		for _, n := range s.Foreign {
			fmt.Fprintf(&b, "foreign 0x%08x 0x%08x\n", n.First, n.Last)
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

// ParseCertificate reads a certificate. It refuses fields and versions that it
// does not know.
func ParseCertificate(data []byte) (*Certificate, error) {
	var c Certificate
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("proof: not a certificate: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("proof: not a certificate: there is something behind it")
	}
	if c.Version != CertificateVersion {
		return nil, fmt.Errorf("proof: version: a certificate of version %d, and only version %d is known (make a new one)",
			c.Version, CertificateVersion)
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
