package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A surety is what the flags of compile say about proofs.
type surety struct {
	prove       bool
	certificate string
}

func (s *surety) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&s.prove, "prove", false, "write the filter only if it is proved to mean what the profile does")
	f.StringVar(&s.certificate, "certificate", "", "prove the filter, and write a certificate to `FILE`")
}

// check finds mistakes before any work is done.
func (s *surety) check(e *emission, o *output) error {
	if s.certificate != "" && e.format == formatArtifact {
		return usagef("--certificate: an artifact carries its certificates itself").hintf("--prove puts them in")
	}
	if s.certificate == "-" && (!o.explicit() || o.path == "-") {
		return usagef("--certificate: standard output is for the filter").hintf("-o FILE saves the filter")
	}
	return nil
}

// proof proves what compile has made, and returns the certificate if one is wanted.
// Here faults that leave the meaning alone are errors too: the compiler makes none.
func (s *surety) proof(in *input, c *compiled) (*proof.Certificate, error) {
	if !s.prove && s.certificate == "" {
		return nil, nil
	}
	facts, report, err := certify(c.resolved, c.options, c.program, proof.Limits{})
	if err != nil {
		return nil, err
	}
	var problems []error
	hint := "nothing was written; this is a defect of seccompile that its authors want to know of"
	switch report.Verdict {
	case proof.Unknown:
		hint = "nothing was written; seccompile prove --patience raises the limits"
		problems = append(problems, fmt.Errorf("not proved: %s", report.Reason))
	case proof.Different:
		d := &report.Witness.Call
		problems = append(problems, fmt.Errorf("the filter is wrong: %s gets %v and should get %v",
			describe(d, knownArgs(d), false), report.Witness.B, report.Witness.A))
	case proof.Same:
	}
	for _, line := range findingLines(report.Findings) {
		problems = append(problems, errors.New(line))
	}
	if len(problems) > 0 {
		f := &failure{code: exitNo, err: &fileError{in.name, errors.Join(problems...)}}
		return nil, f.hintf("%s", hint)
	}
	return &facts, nil
}

// save writes the certificate, if there is one.
func (a *app) save(s *surety, c *proof.Certificate) error {
	if c == nil || s.certificate == "" {
		return nil
	}
	return a.putJSON(&output{s.certificate}, c)
}

// toolName is what certificates and artifacts call this program.
func toolName() string { return "seccompile " + buildVersion() }

// certify makes a certificate in the name of this program.
func certify(want *policy.Resolved, o policy.Options, p *cbpf.Program, l proof.Limits) (proof.Certificate, proof.Report, error) {
	c, r, err := proof.Certify(want, o, p, l)
	c.Tool, c.Tables = toolName(), syscalltables.Kernel().String()
	return c, r, err
}

// readCertificate reads a certificate, or that of an artifact for the ABIs.
func readCertificate(path string, abis []string) (*proof.Certificate, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if in := (&input{name: path, data: data}); artifact.Is(data) {
		return in.certificate(abis)
	}
	c, err := proof.ParseCertificate(data)
	if err != nil {
		return nil, (&input{name: path}).no(err)
	}
	return c, nil
}

// findingLines tells findings in words, those of a kind together.
func findingLines(findings []proof.Finding) []string {
	var unreachable, oneWay, lines []string
	for _, f := range findings {
		switch f.Kind {
		case proof.Unreachable:
			unreachable = append(unreachable, fmt.Sprint(f.PC))
		case proof.OneWay:
			oneWay = append(oneWay, fmt.Sprint(f.PC))
		case proof.Refused, proof.Slow, proof.TooFast:
		}
	}
	if len(unreachable) > 0 {
		lines = append(lines, plural(len(unreachable), "instruction")+" that no call executes: "+strings.Join(unreachable, ", "))
	}
	if len(oneWay) > 0 {
		lines = append(lines, plural(len(oneWay), "test")+" that every call passes the same way: "+strings.Join(oneWay, ", "))
	}
	for rest := findings; len(rest) > 0; rest = rest[1:] {
		switch f := rest[0]; f.Kind {
		case proof.Refused:
			lines = append(lines, f.String())
		case proof.Slow, proof.TooFast:
			n := 1
			for n < len(rest) && rest[n].Kind == f.Kind && rest[n].Audit == f.Audit {
				n++
			}
			lines = append(lines, bitmapLine(rest[:n]))
			rest = rest[n-1:]
		case proof.Unreachable, proof.OneWay:
		}
	}
	return lines
}

// bitmapLine tells findings of one kind about the bitmap of one AUDIT_ARCH value.
func bitmapLine(findings []proof.Finding) string {
	f := findings[0]
	what := "always allowed, and not in the kernel's bitmap"
	if f.Kind == proof.TooFast {
		what = "in the kernel's bitmap, and not always allowed"
	}
	const most = 5
	var examples []string
	for _, f := range findings[:min(most, len(findings))] {
		name := syscalltables.Names{}.Syscall(f.Audit, f.NR)
		examples = append(examples, cmp.Or(name, policy.Interval{First: f.NR, Last: f.NR}.String()))
	}
	if len(findings) > most {
		examples = append(examples, "...")
	}
	who := fmt.Sprintf("arch 0x%08x", f.Audit)
	if abi, known := arch.ByAudit(f.Audit, f.NR); known {
		who = abi.String()
	}
	return fmt.Sprintf("%s: %s of %s: %s", what, plural(len(findings), "number"), who, strings.Join(examples, ", "))
}
