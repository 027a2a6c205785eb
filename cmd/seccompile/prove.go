package main

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/proof"
)

const proveLong = `Prove decides whether a filter means what a profile does: not on samples but for
every call, number, argument and ABI, down to the data of the action. FILTER is a
raw filter or assembly text, from any compiler. The flags say how the profile is
read, as with compile: -a must name the ABIs that the filter is for.

The answer is one of

  proved       exit status 0
  different    exit status 1, with a call and what either side does with it
  not proved   exit status 1: the work went beyond the limits that --patience
               raises. Only filters that calculate with arguments come to it

A filter may mean the right thing in a bad way: instructions that no call
executes, tests that go one way, calls that are always allowed and that the
kernel's bitmap misses. Those are warnings and leave the status 0.

With --certificate prove also checks what compile --certificate wrote: each of
its fields must be what is found now, with this release of seccompile.`

// A proving is what the flags of prove say.
type proving struct {
	target
	patience
	certificate string
	json        bool
}

func (a *app) proveCommand() *cobra.Command {
	var v proving
	cmd := &cobra.Command{
		Use:   "prove [flags] PROFILE FILTER",
		Short: "prove that a filter means what a profile does",
		Long:  proveLong,
		Example: `  seccompile prove -a x86_64,x86,x32 docker-default filter.bpf
  seccompile prove -a aarch64 --json profile.json filter.s
  seccompile prove -a x86_64 --certificate filter.json profile.json filter.bpf`,
		ValidArgsFunction: completeProve,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("prove takes a profile and a filter").hintf("seccompile prove profile.json filter.bpf")
			}
			return a.prove(&v, args[0], args[1])
		},
	}
	v.addPlace(cmd)
	v.addReading(cmd)
	cmd.Flags().StringVar(&v.certificate, "certificate", "", "check the certificate in `FILE`, or that of an artifact")
	a.addNumeric(cmd)
	v.patience.add(cmd)
	addJSON(cmd, &v.json)
	return cmd
}

func completeProve(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return completeProfile(cmd, args, word)
	case 1:
		return nil, cobra.ShellCompDirectiveDefault
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// A proved is the outcome of a proof.
type proved struct {
	profile, filter *side
	report          proof.Report
	facts           proof.Certificate
	certificate     string // file, if one was checked
	numeric         bool   // constants are to be written as numbers
	mismatches      []proof.Mismatch
}

// prove reads both sides and prints the answer.
func (a *app) prove(v *proving, profile, filter string) error {
	limits, err := v.limits()
	if err != nil {
		return err
	}
	want, err := a.side(&v.target, profile)
	if err != nil {
		return err
	}
	if want.resolved == nil {
		return usagef("%s: a profile is wanted and this is a filter", want.name).hintf("seccompile diff compares filters")
	}
	got, err := a.side(&v.target, filter)
	if err != nil {
		return err
	}
	if got.program == nil {
		return usagef("%s: a filter is wanted and this is a profile", got.name).hintf("seccompile diff compares profiles")
	}
	if err := sameOrder(want, got); err != nil {
		return err
	}
	var given *proof.Certificate
	if v.certificate != "" {
		if given, err = readCertificate(v.certificate, v.abis); err != nil {
			return err
		}
	}
	now, report, err := certify(want.resolved, want.options, got.program, limits)
	if err != nil {
		return err
	}
	r := &proved{profile: want, filter: got, report: report, facts: now, certificate: v.certificate, numeric: a.numeric}
	if given != nil {
		r.mismatches = given.Against(&now)
	}
	if v.json {
		err = a.putJSON(new(output), r.document())
	} else {
		r.print(a.out, a.paint())
	}
	if err != nil {
		return err
	}
	return a.conclude(r)
}

// conclude warns, and turns an outcome into an exit status.
func (a *app) conclude(r *proved) error {
	if !a.quiet && r.report.Verdict == proof.Same {
		for _, line := range findingLines(r.report.Findings) {
			fmt.Fprintf(a.stderr, "seccompile: warning: %s: %s\n", r.filter.name, line)
		}
	}
	if slices.ContainsFunc(r.mismatches, func(m proof.Mismatch) bool {
		return m.Field == "abis" || strings.HasPrefix(m.Field, "options.")
	}) {
		a.note("the profile is read as the flags say, and the certificate is of another reading: see its abis and options")
	}
	switch r.report.Verdict {
	case proof.Unknown:
		return unproved(r.report.Reason)
	case proof.Different:
		wanted, tested := auditsOf(resolvedABIs(r.profile.resolved)), auditsOf(testedABIs(r.filter.program))
		if len(tested) > 0 && !slices.Equal(wanted, tested) {
			a.note("the profile was read for %s, and the filter tests for %s: -a chooses the ABIs",
				strings.Join(abiList(resolvedABIs(r.profile.resolved)), ", "),
				strings.Join(abiList(testedABIs(r.filter.program)), ", "))
		}
		return &failure{code: exitNo}
	case proof.Same:
	}
	if len(r.mismatches) > 0 {
		return &failure{code: exitNo}
	}
	return nil
}

// auditsOf returns the AUDIT_ARCH values of ABIs, sorted.
func auditsOf(abis []arch.ABI) []uint32 {
	var out []uint32
	for _, a := range abis {
		out = append(out, a.Audit())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// print prints the answer.
func (r *proved) print(w *bufio.Writer, p painter) {
	abis := strings.Join(abiList(resolvedABIs(r.profile.resolved)), ", ")
	switch r.report.Verdict {
	case proof.Same:
		fmt.Fprintf(w, "%s: %s means what %s does for %s\n", p.text(green, "proved"), r.filter.name, r.profile.name, abis)
		fmt.Fprintf(w, "  %s, at most %d for one call: %s\n", plural(r.filter.program.Len(), "instruction"),
			r.report.LongestPath, describe(&r.report.LongestCall, 0, r.numeric))
	case proof.Different:
		d := &r.report.Witness.Call
		fmt.Fprintf(w, "%s: %s\n", p.text(red, "different"), describe(d, knownArgs(d), r.numeric))
		for _, s := range []*side{r.profile, r.filter} {
			fmt.Fprintf(w, "  %s: %s\n", s.name, s.verdictText(p, d))
		}
	case proof.Unknown: // the error says it
	}
	if r.certificate != "" && len(r.mismatches) == 0 {
		fmt.Fprintf(w, "  %s: every field holds\n", r.certificate)
	}
	for _, m := range r.mismatches {
		there, here := excerpts(m.Got, m.Want)
		fmt.Fprintf(w, "%s: %s: %s: %s there, %s here\n", p.text(red, "wrong"), r.certificate, m.Field, there, here)
	}
}

// excerpts returns two values where they begin to differ, short enough for a line
// and fit for a terminal.
func excerpts(a, b string) (string, string) {
	const before, most = 8, 72 // a digest has 71
	skip := 0
	if len(a) > most || len(b) > most {
		for skip < min(len(a), len(b)) && a[skip] == b[skip] {
			skip++
		}
		skip = max(0, skip-before)
	}
	cut := func(s string) string {
		text := s[skip:]
		if len(text) > most {
			text = text[:most] + "..."
		}
		switch {
		case s == "":
			return "nothing"
		case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }):
			text = fmt.Sprintf("%q", text)
		}
		if skip > 0 {
			return "..." + text
		}
		return text
	}
	return cut(a), cut(b)
}

// A proofJSON is the document of prove --json.
type proofJSON struct {
	Version      int                 `json:"version"`
	Verdict      string              `json:"verdict"` // same, different or unknown
	Profile      string              `json:"profile"`
	Filter       string              `json:"filter"`
	ABIs         []string            `json:"abis"`
	Reason       string              `json:"reason,omitempty"`  // if unknown
	Witness      *callWitnessJSON    `json:"witness,omitempty"` // if different; a is the profile
	Findings     []proofFindingJSON  `json:"findings"`
	Instructions int                 `json:"instructions"`
	LongestPath  int                 `json:"longestPath"`
	Bitmap       []proof.CachedCalls `json:"bitmap"`
	Certificate  *checkedJSON        `json:"certificate,omitempty"`
}

type proofFindingJSON struct {
	Kind    string  `json:"kind"` // refused, unreachable, one-way, slow or too-fast
	PC      *int    `json:"pc,omitempty"`
	Arch    string  `json:"arch,omitempty"`
	Number  *uint32 `json:"number,omitempty"`
	Message string  `json:"message"`
}

// A checkedJSON is what became of a certificate.
type checkedJSON struct {
	File       string         `json:"file"`
	OK         bool           `json:"ok"`
	Mismatches []mismatchJSON `json:"mismatches"`
}

type mismatchJSON struct {
	Field string `json:"field"`
	There string `json:"there"` // in the certificate
	Here  string `json:"here"`
}

func (r *proved) document() *proofJSON {
	doc := &proofJSON{
		Version: jsonVersion, Verdict: r.report.Verdict.String(), Profile: r.profile.name, Filter: r.filter.name,
		ABIs: r.facts.ABIs, Reason: r.report.Reason, Findings: []proofFindingJSON{},
		Instructions: r.facts.Instructions, LongestPath: r.facts.LongestPath, Bitmap: r.facts.Bitmap,
	}
	if r.report.Verdict == proof.Different {
		doc.Witness = witnessDocument(&r.report.Witness.Call, r.profile, r.filter)
	}
	for _, f := range r.report.Findings {
		j := proofFindingJSON{Kind: findingKind(f.Kind), Message: f.String()}
		switch f.Kind {
		case proof.Unreachable, proof.OneWay:
			j.PC = &f.PC
		case proof.Slow, proof.TooFast:
			j.Arch, j.Number = fmt.Sprintf("0x%08x", f.Audit), &f.NR
		case proof.Refused:
		}
		doc.Findings = append(doc.Findings, j)
	}
	if r.certificate != "" {
		doc.Certificate = &checkedJSON{r.certificate, len(r.mismatches) == 0, []mismatchJSON{}}
		for _, m := range r.mismatches {
			doc.Certificate.Mismatches = append(doc.Certificate.Mismatches, mismatchJSON{m.Field, m.Got, m.Want})
		}
	}
	return doc
}

// findingKind returns a stable identifier of a kind.
func findingKind(k proof.Kind) string {
	switch k {
	case proof.Refused:
		return "refused"
	case proof.Unreachable:
		return "unreachable"
	case proof.OneWay:
		return "one-way"
	case proof.Slow:
		return "slow"
	case proof.TooFast:
		return "too-fast"
	}
	return fmt.Sprint(k)
}
