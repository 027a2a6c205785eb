package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/certificate"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// The proofFlags are the flags of compile that ask for a proof.
type proofFlags struct {
	prove       bool
	certificate string
}

func (s *proofFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&s.prove, "prove", false, "prove the filter in a second way, with a search for faults")
	f.StringVar(&s.certificate, "certificate", "", "prove the filter and write a certificate to `FILE`")
	annotate(cmd, "certificate", writesFile)
}

// check finds mistakes before any work is done.
func (s *proofFlags) check(e *outputFormat) error {
	if s.certificate != "" && e.format == formatArtifact {
		return failure.Usagef("--certificate: an artifact contains its certificates").Hintf("--prove adds them")
	}
	return nil
}

// proof proves again what compile has made, in the other way, and returns the certificate
// if a flag asks for it. Faults that do not change the meaning are worth a warning.
func (a *app) proof(s *proofFlags, in *intake.Input, c *intake.Compiled) (*certificate.Certificate, error) {
	if !s.prove && s.certificate == "" {
		return nil, nil
	}
	facts, report, err := certify(c.Resolved, c.Options, c.Program, proof.Limits{})
	if err != nil {
		return nil, err
	}
	switch report.Verdict {
	case proof.Unknown:
		return nil, in.No(fmt.Errorf("not proved a second time: %s", report.Reason)).
			Hintf("nothing was written; without --prove and --certificate, the filter is proved by its paths only")
	case proof.Different:
		d := &report.Witness.Call
		return nil, in.No(fmt.Errorf("the filter is wrong: %s gets %v, but should get %v",
			intake.Describe(d, intake.KnownArgs(d), false), report.Witness.B, report.Witness.A)).
			Hintf("nothing was written; this is a bug in seccompile, please report it")
	case proof.Same:
	}
	for _, line := range findingLines(report.Findings) {
		a.warnf("%s: %s", in.Name, line)
	}
	return &facts, nil
}

// save writes the certificate, if there is one.
func (a *app) save(s *proofFlags, c *certificate.Certificate) error {
	if c == nil || s.certificate == "" {
		return nil
	}
	return a.putJSON(&output{s.certificate}, c)
}

// toolName is the name of this program in certificates and artifacts.
func toolName() string { return "seccompile " + buildVersion() }

// certify makes a certificate that names this program.
func certify(want *policy.Resolved, o policy.Options, p *cbpf.Program, l proof.Limits) (certificate.Certificate, proof.Report, error) {
	c, r, err := certificate.New(want, o, p, l)
	c.Tool, c.Tables = toolName(), syscalltables.Kernel().String()
	return c, r, err
}

// readCertificate reads a certificate, or that of the artifact's filter for the ABIs.
func readCertificate(path string, abis []string) (*certificate.Certificate, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if in := intake.New(path, path, data); in.Kind == intake.KindArtifact {
		return claimed(in, abis)
	}
	c, err := certificate.Parse(data)
	if err != nil {
		return nil, intake.New(path, path, data).No(err)
	}
	return c, nil
}

// findingLines describes findings, those of one kind together.
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
		lines = append(lines, answer.Plural(len(unreachable), "instruction")+" that no call executes: "+strings.Join(unreachable, ", "))
	}
	if len(oneWay) > 0 {
		lines = append(lines, answer.Plural(len(oneWay), "test")+" with the same outcome for every call: "+strings.Join(oneWay, ", "))
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

// bitmapLine describes findings of one kind about the bitmap of one AUDIT_ARCH value.
func bitmapLine(findings []proof.Finding) string {
	f := findings[0]
	what := "always allowed, but not in the kernel's bitmap"
	if f.Kind == proof.TooFast {
		what = "in the kernel's bitmap, but not always allowed"
	}
	const most = 5
	var examples []string
	for _, f := range findings[:min(most, len(findings))] {
		name := policy.Names().Syscall(f.Audit, f.NR)
		examples = append(examples, cmp.Or(name, policy.Interval{First: f.NR, Last: f.NR}.String()))
	}
	if len(findings) > most {
		examples = append(examples, "...")
	}
	who := fmt.Sprintf("arch 0x%08x", f.Audit)
	if abi, known := arch.ByAudit(f.Audit, f.NR); known {
		who = abi.String()
	}
	return fmt.Sprintf("%s: %s of %s: %s", what, answer.Plural(len(findings), "number"), who, strings.Join(examples, ", "))
}
