package main

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/certificate"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/proof"
)

const proveLong = `Prove decides whether a filter means what a profile means: not by sampling, but for
every call, number, argument and ABI, including the data of the action. FILTER is a raw
filter, assembly text or an artifact, from any compiler. The flags say how to read the
profile, as with compile: -a must name the ABIs of the filter.

The answer is one of

  proved       exit status 0
  different    exit status 1, with a call and what each side does with it
  not proved   exit status 1: the proof exceeded the limits that --patience
               raises. Filters that calculate with arguments come to that

There are two proofs. One follows the paths of the filter: compile and run ask it too,
each time. The other translates profile and filter into diagrams and finds faults as well.
Many rules of unrelated masks, or of several arguments, on one call are too much for the
diagrams; then the answer is that of the paths alone, and prove says so.

A filter may have the right meaning and still have faults: instructions that no call
executes, tests with the same outcome for every call, or calls that are always allowed
but missing from the kernel's bitmap. Prove warns about these; the exit status stays 0.

With --certificate, prove also checks what compile --certificate wrote: each field
must match what this release of seccompile finds now.

With --smt2, prove also writes the question in SMT-LIB 2, so that a program that knows
nothing of seccompile can answer it: unsat means proved, and sat means different, with
the call. If FILE is -, prove's own answer goes to standard error.`

// The proveFlags are the flags of prove.
type proveFlags struct {
	targetFlags
	patience
	certificate string
	question    string // file of --smt2
	json        bool
}

func (a *app) proveCommand() *cobra.Command {
	var v proveFlags
	cmd := &cobra.Command{
		Use:   "prove [flags] PROFILE FILTER",
		Short: "prove that a filter means what its profile means",
		Long:  proveLong,
		Example: `  seccompile prove -a x86_64,x86,x32 docker-default filter.bpf
  seccompile prove -a aarch64 --json profile.json filter.s
  seccompile prove -a x86_64 --certificate filter.json profile.json filter.bpf
  seccompile prove -a x86_64 --smt2 question.smt2 profile.json filter.bpf`,
		ValidArgsFunction: completeProve,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return failure.Usagef("prove: expected a profile and a filter").Hintf("for example: seccompile prove profile.json filter.bpf")
			}
			return a.prove(&v, args[0], args[1])
		},
	}
	v.addPlace(cmd)
	cmd.Flags().StringVar(&v.certificate, "certificate", "", "also check the certificate in `FILE`, or in an artifact")
	cmd.Flags().StringVar(&v.question, "smt2", "", "also write the question to `FILE` for solvers such as z3 and cvc5 (- is standard output)")
	annotate(cmd, "certificate", readsFile)
	annotate(cmd, "smt2", writesFile)
	addJSON(cmd, &v.json)
	a.addNumeric(cmd)
	v.addReading(cmd)
	v.patience.add(cmd)
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

// A verified is the outcome of a proof.
type verified struct {
	profile, filter *answer.Side
	report          proof.Report
	facts           certificate.Certificate
	certificate     string // file, if one was checked
	numeric         bool   // show constants as numbers
	partial         string // why nothing but the verdict is known
	mismatches      []certificate.Mismatch
}

// prove reads both sides and prints the answer.
func (a *app) prove(v *proveFlags, profile, filter string) error {
	limits, err := v.limits()
	if err := cmp.Or(err, v.checkQuestion()); err != nil {
		return err
	}
	want, err := a.side(&v.Target, profile)
	if err != nil {
		return err
	}
	if want.Resolved == nil {
		return failure.Usagef("%s: expected a profile, got a filter", want.Name).Hintf("to compare two filters, use seccompile diff")
	}
	got, err := a.side(&v.Target, filter)
	if err != nil {
		return err
	}
	if got.Program == nil {
		return failure.Usagef("%s: expected a filter, got a profile", got.Name).Hintf("to compare two profiles, use seccompile diff")
	}
	if err := answer.SameOrder(want, got); err != nil {
		return err
	}
	var given *certificate.Certificate
	if v.certificate != "" {
		if given, err = readCertificate(v.certificate, v.ABIs); err != nil {
			return err
		}
	}
	if err := a.writeQuestion(v, want, got); err != nil {
		return err
	}
	now, report, err := certify(want.Resolved, want.Options, got.Program, limits)
	if err != nil {
		return err
	}
	r := &verified{profile: want, filter: got, report: report, facts: now, certificate: v.certificate, numeric: a.numeric}
	if report.Verdict == proof.Unknown && given == nil {
		if err := r.follow(); err != nil {
			return err
		}
	}
	if given != nil {
		r.mismatches = given.Against(&now)
	}
	if err := a.printAnswer(v, r); err != nil {
		return err
	}
	return a.conclude(r)
}

// follow asks the proof that follows the paths of the filter, where the other one gave up.
func (r *verified) follow() error {
	result, err := proof.Walk(r.profile.Resolved, r.filter.Program)
	if err != nil || result.Verdict == proof.Unknown {
		return err
	}
	r.partial = r.report.Reason
	r.report.Result = result
	r.report.Findings = nil
	return nil
}

// conclude warns, and turns an outcome into an exit status.
func (a *app) conclude(r *verified) error {
	if r.report.Verdict == proof.Same {
		for _, line := range findingLines(r.report.Findings) {
			a.warnf("%s: %s", r.filter.Name, line)
		}
	}
	if slices.ContainsFunc(r.mismatches, func(m certificate.Mismatch) bool {
		return m.Field == "abis" || strings.HasPrefix(m.Field, "options.")
	}) {
		a.note("the certificate is for other flags than those given: see its abis and options")
	}
	switch r.report.Verdict {
	case proof.Unknown:
		return answer.Unproved(r.report.Reason)
	case proof.Different:
		wanted, tested := auditsOf(r.profile.Resolved.ABIs()), auditsOf(answer.TestedABIs(r.filter.Program))
		if len(tested) > 0 && !slices.Equal(wanted, tested) {
			a.note("the profile was read for %s, but the filter tests for %s: choose the ABIs with -a",
				strings.Join(intake.ABINames(r.profile.Resolved.ABIs()), ", "),
				strings.Join(intake.ABINames(answer.TestedABIs(r.filter.Program)), ", "))
		}
		return &failure.Error{Status: failure.No}
	case proof.Same:
	}
	if len(r.mismatches) > 0 {
		return &failure.Error{Status: failure.No}
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
func (r *verified) print(w *bufio.Writer, p painter) {
	abis := strings.Join(intake.ABINames(r.profile.Resolved.ABIs()), ", ")
	switch r.report.Verdict {
	case proof.Same:
		fmt.Fprintf(w, "%s: %s means what %s means for %s\n", p.text(green, "proved"), r.filter.Name, r.profile.Name, abis)
		if r.partial != "" {
			fmt.Fprintf(w, "  by its paths alone, without a search for faults: the diagrams would take %s\n", r.partial)
			break
		}
		fmt.Fprintf(w, "  %s, at most %d for one call: %s\n", answer.Plural(r.filter.Program.Len(), "instruction"),
			r.report.LongestPath, intake.Describe(&r.report.LongestCall, 0, r.numeric))
	case proof.Different:
		d := &r.report.Witness.Call
		fmt.Fprintf(w, "%s: %s\n", p.text(red, "different"), intake.Describe(d, intake.KnownArgs(d), r.numeric))
		for _, s := range []*answer.Side{r.profile, r.filter} {
			fmt.Fprintf(w, "  %s: %s\n", s.Name, verdictText(p, s, d))
		}
	case proof.Unknown: // the error reports it
	}
	if r.certificate != "" && len(r.mismatches) == 0 {
		fmt.Fprintf(w, "  %s: every field matches\n", r.certificate)
	}
	for _, m := range r.mismatches {
		there, here := excerpts(m.Got, m.Want)
		fmt.Fprintf(w, "%s: %s: %s: %s there, %s here\n", p.text(red, "wrong"), r.certificate, m.Field, there, here)
	}
}

// excerpts returns two values from where they begin to differ, short enough for a line
// and safe for a terminal.
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
	Version      int                       `json:"version"`
	Verdict      string                    `json:"verdict"` // same, different or unknown
	Profile      string                    `json:"profile"`
	Filter       string                    `json:"filter"`
	ABIs         []string                  `json:"abis"`
	Reason       string                    `json:"reason,omitempty"`  // if unknown; or why the rest is missing
	Witness      *answer.Witness           `json:"witness,omitempty"` // if different; a is the profile
	Findings     []proofFindingJSON        `json:"findings"`
	Instructions int                       `json:"instructions"`
	LongestPath  int                       `json:"longestPath"`
	Bitmap       []certificate.CachedCalls `json:"bitmap"`
	Certificate  *checkedJSON              `json:"certificate,omitempty"`
}

type proofFindingJSON struct {
	Kind    string  `json:"kind"` // refused, unreachable, one-way, slow or too-fast
	PC      *int    `json:"pc,omitempty"`
	Arch    string  `json:"arch,omitempty"`
	Number  *uint32 `json:"number,omitempty"`
	Message string  `json:"message"`
}

// A checkedJSON is the outcome of checking a certificate.
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

func (r *verified) document() *proofJSON {
	doc := &proofJSON{
		Version: answer.Version, Verdict: r.report.Verdict.String(), Profile: r.profile.Name, Filter: r.filter.Name,
		ABIs: r.facts.ABIs, Reason: cmp.Or(r.report.Reason, r.partial), Findings: []proofFindingJSON{},
		Instructions: r.facts.Instructions, LongestPath: r.facts.LongestPath, Bitmap: r.facts.Bitmap,
	}
	if r.report.Verdict == proof.Different {
		doc.Witness = answer.NewWitness(&r.report.Witness.Call, r.profile, r.filter)
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
