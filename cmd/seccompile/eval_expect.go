package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/expect"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
)

// An expectationsJSON is the document of eval --json with a file of expectations.
type expectationsJSON struct {
	Version      int           `json:"version"`
	OK           bool          `json:"ok"` // all are as expected
	Expectations []outcomeJSON `json:"expectations"`
}

type outcomeJSON struct {
	Line   int    `json:"line"`
	Expect string `json:"expect"` // the action, as the file has it
	OK     bool   `json:"ok"`
	Call   string `json:"call"`   // as C would write it
	Answer any    `json:"answer"` // the document of eval for the call
}

// expectations checks the calls in the file that --expect names.
func (a *app) expectations(e *evalFlags, file string) error {
	if e.trace {
		return failure.Usagef("--trace: expected a system call").Hintf("for example: seccompile eval --trace %s clone3", file)
	}
	name, data, err := a.readExpectations(e.expect)
	if err != nil {
		return err
	}
	list, err := expect.Parse(data)
	if err != nil {
		return &failure.Error{Status: failure.Usage, Err: &failure.InFile{Name: name, Err: err}}
	}
	in, err := a.read(file)
	if err != nil {
		return err
	}
	outcomes, err := (&expectant{app: a, flags: e, in: in}).check(list)
	var wrong policy.Errors
	if errors.As(err, &wrong) {
		return &failure.Error{Status: failure.Usage, Err: &failure.InFile{Name: name, Err: err}}
	}
	if err != nil {
		return err
	}
	failed, err := a.printOutcomes(e, name, list, outcomes)
	if err == nil && failed > 0 {
		return failure.Nof("%s: %d of %s", in.Name, failed, expected(len(list), "not "))
	}
	return err
}

// expected counts calls.
func expected(n int, not string) string {
	if n == 1 {
		return "1 call is " + not + "as expected"
	}
	return fmt.Sprintf("%d calls are %sas expected", n, not)
}

// An outcome is what happens to a call, and whether that is as expected.
type outcome struct {
	*answer.Evaluation
	ok bool
}

// printOutcomes prints the calls that are not as expected, and returns how many those are.
func (a *app) printOutcomes(e *evalFlags, name string, list []expect.Expectation, outcomes []outcome) (failed int, err error) {
	doc := expectationsJSON{Version: answer.Version, Expectations: []outcomeJSON{}}
	for i, x := range outcomes {
		doc.Expectations = append(doc.Expectations, outcomeJSON{list[i].Line, list[i].Want, x.ok, x.Text(a.numeric), x.Document()})
		if x.ok {
			continue
		}
		if failed++; e.json {
			continue
		}
		verdict := a.paint().action(x.Verdict.Action, intake.ActionText(x.Verdict.Action, x.ABI))
		fmt.Fprintf(a.out, "%s:%d: %s: expected %s, got %s\n", name, list[i].Line, x.Text(a.numeric), list[i].Want, verdict)
		if x.Because != "" {
			fmt.Fprintf(a.out, "  %s\n", x.Because)
		}
	}
	doc.OK = failed == 0
	switch {
	case e.json:
		return failed, a.putJSON(new(output), doc)
	case doc.OK:
		fmt.Fprintf(a.out, "ok: %s\n", expected(len(list), ""))
	}
	return failed, nil
}

// readExpectations reads the file that --expect names.
func (a *app) readExpectations(path string) (name string, data []byte, err error) {
	switch {
	case path != "-":
		name = failure.Shown(path)
		data, err = readFile(path)
	case a.stdinTaken:
		return "", nil, failure.Usagef("standard input can only be read once")
	default:
		a.stdinTaken = true
		name = standardInput
		data, err = readAll(a.stdin)
	}
	if err == nil {
		return name, data, nil
	}
	if _, wrong := intake.ParseAction("", path, arch.X86_64); wrong == nil && errors.Is(err, fs.ErrNotExist) {
		return "", nil, failure.Usagef("eval: expected a file and a system call").Hintf("for example: seccompile eval --expect %s docker-default clone3", path)
	}
	return "", nil, inaccessible(path, err, "without a system call, --expect names a file of expectations")
}

// An expectant answers for each ABI as eval does.
type expectant struct {
	app    *app
	flags  *evalFlags
	in     *intake.Input
	byABI  map[string]*answer.Evaluator // as -a names it
	warned bool
}

// check checks expectations. The error is policy.Errors if it is about the lines.
func (x *expectant) check(list []expect.Expectation) (outcomes []outcome, err error) {
	var wrong policy.Errors
	for i := range list {
		var ask *answer.Evaluator
		o, err := list[i].Check(func(abi arch.ABI) (s expect.Subject, err error) {
			if ask, err = x.evaluator(abi); err == nil {
				s = expect.Subject{ABI: ask.ABI, Decide: ask.Decide, Depends: ask.Depends}
			}
			return s, err
		})
		var refused *failure.InFile
		switch {
		case errors.As(err, &refused):
			return nil, err // of the profile, not of the line
		case err != nil:
			wrong = append(wrong, &policy.Error{Line: list[i].Line, Column: 1, Reason: withHint(err)})
		default:
			outcomes = append(outcomes, outcome{ask.Evaluate(o.Call, x.app.numeric), o.Pass})
		}
	}
	if wrong != nil {
		return nil, wrong
	}
	return outcomes, nil
}

// withHint writes an error and how to go on in one line.
func withHint(err error) string {
	text := failure.Unprefixed(err.Error())
	if f := (*failure.Error)(nil); errors.As(err, &f) && f.Hint != "" {
		text += " (" + f.Hint + ")"
	}
	return text
}

// evaluator returns what answers for an ABI, or for calls that name none.
func (x *expectant) evaluator(abi arch.ABI) (*answer.Evaluator, error) {
	name := x.flags.abi
	if abi != 0 {
		name = abi.String()
	}
	if e, ok := x.byABI[name]; ok {
		return e, nil
	}
	e, err := answer.NewEvaluator(&x.flags.Target, x.in, name, false)
	if err != nil {
		return nil, err
	}
	if !x.warned {
		x.warned = true
		x.app.warn(x.in, e.Warnings)
	}
	if e.Assumed {
		x.app.note("evaluating calls that name no ABI for %s (choose another one with -a)", e.ABI)
	}
	if x.byABI == nil {
		x.byABI = make(map[string]*answer.Evaluator)
	}
	x.byABI[name] = e
	return e, nil
}
