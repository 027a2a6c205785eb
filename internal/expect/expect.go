// Package expect reads, checks and writes expectations: calls, each with the action that a
// profile or filter has to give it.
//
//	# The sandbox has no sockets of the kernel's crypto API.
//	x86_64 socket(family=AF_ALG, type=SOCK_SEQPACKET): errno:EPERM
//	socket(AF_UNIX, SOCK_STREAM): allow
//	clone3: ERRNO(38) ENOSYS
//
// What eval prints is an expectation. Start with [Parse].
package expect

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
)

// maxText bounds the size of a file: a larger one is a mistake.
const maxText = 1 << 20

// An Expectation is one line of a file, as text.
type Expectation struct {
	Line int    // counted from 1; 0 if it is not from a file
	ABI  string // "": that of the profile or filter
	Call string // "socket(AF_ALG, SOCK_SEQPACKET)"
	Want string // an action, as flags take it or as eval prints it
}

// Parse takes the lines of a file apart; comments begin with "#". It does not look at what the
// words mean: [Expectation.Check] does. The error is policy.Errors with the place of each.
func Parse(data []byte) ([]Expectation, error) {
	if len(data) > maxText {
		return nil, policy.Errors{{Reason: fmt.Sprintf("expectations of more than %d bytes (split the file)", maxText)}}
	}
	var list []Expectation
	var wrong policy.Errors
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		number++
		text, _, _ := strings.Cut(string(line), "#")
		if strings.TrimSpace(text) == "" || isReason(text) {
			continue
		}
		e, reason := split(text)
		if !utf8.Valid(line) {
			reason = "not UTF-8 (save the file as UTF-8)"
		}
		if reason != "" {
			wrong = append(wrong, &policy.Error{Line: number, Column: 1 + len(text) - len(strings.TrimLeft(text, " \t")), Reason: reason})
			continue
		}
		e.Line = number
		list = append(list, e)
	}
	switch {
	case len(wrong) > 0:
		return nil, wrong
	case len(list) == 0:
		return nil, policy.Errors{{Reason: "no expectations (a line is CALL: ACTION, as in clone3: errno:ENOSYS)"}}
	}
	return list, nil
}

// isReason reports whether a line is the one by which eval says what decided.
func isReason(text string) bool {
	rest := strings.TrimLeft(text, " \t")
	return rest != text && slices.ContainsFunc([]string{"by the rule at ", "by a rule", "by the default action", "bad arch: ", "ENOSYS: "},
		func(s string) bool { return strings.HasPrefix(rest, s) })
}

// split takes a line apart, or says why it cannot.
func split(text string) (e Expectation, reason string) {
	const form = " (write it as in socket(AF_ALG): errno:EPERM)"
	call, want, colon := strings.Cut(text, ":")
	call, want = strings.TrimSpace(call), strings.Join(strings.Fields(want), " ")
	head, args, open := strings.Cut(call, "(")
	words := strings.Fields(head)
	switch {
	case !colon:
		return e, "expected a colon between call and action" + form
	case open && !strings.HasSuffix(args, ")"):
		return e, "expected the colon right after the arguments" + form
	case want == "":
		return e, "the action is missing" + form
	case len(words) == 0:
		return e, "the name of the call is missing" + form
	case len(words) > 2:
		return e, fmt.Sprintf("%q is not a call, or an ABI and a call", strings.Join(words, " ")) + form
	case len(words) == 2:
		e.ABI = words[0]
	}
	e.Call, e.Want = words[len(words)-1], want
	if open {
		e.Call += "(" + strings.Join(strings.Fields(args), " ")
	}
	return e, ""
}

// String writes the line.
func (e Expectation) String() string {
	call := e.Call
	if e.ABI != "" {
		call = e.ABI + " " + call
	}
	return call + ": " + e.Want
}

// Format writes expectations as a file that [Parse] reads as the same. It is an error if one of
// them is not a line.
func Format(list []Expectation) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# Checked by: seccompile eval --expect FILE PROFILE\n")
	for i, e := range list {
		line := e.String()
		again, reason := split(line)
		if strings.ContainsAny(line, "#\n\r") || reason == "" && again != (Expectation{0, e.ABI, e.Call, e.Want}) {
			reason = fmt.Sprintf("%q is not a line of its own", line)
		}
		if reason != "" {
			return nil, fmt.Errorf("expect: expectation %d: %s", i+1, reason)
		}
		b.WriteString(line + "\n")
	}
	return b.Bytes(), nil
}

// A Subject is what decides calls of some ABIs.
type Subject struct {
	ABI     arch.ABI // of calls that name none
	Decide  func(*cbpf.Data) policy.Verdict
	Depends func(*intake.Call) ([]string, error) // names the unknown arguments that may change the verdict
}

// An Outcome is how an expectation turned out.
type Outcome struct {
	Call *intake.Call
	Got  policy.Verdict
	Pass bool
}

// Check asks what happens to the call. The subject is asked for by the ABI that the
// expectation names, zero if it names none, as a profile may mean something else for each
// kernel. The error says what is wrong with the expectation, or is that of subject.
func (e *Expectation) Check(subject func(arch.ABI) (Subject, error)) (Outcome, error) {
	var o Outcome
	var abi arch.ABI
	var err error
	call, err := symbols.ParseLine(e.Call)
	if err != nil {
		return o, failure.Usagef("%w", err)
	}
	if name := cmp.Or(call.ABI, e.ABI); name != "" {
		if abi, err = arch.Parse(name); err != nil {
			return o, failure.Usagef("%w", err)
		}
	}
	s, err := subject(abi)
	if err != nil {
		return o, err
	}
	if abi == 0 {
		abi = s.ABI
	}
	if o.Call, err = intake.ParseCall(abi, call.Name, call.Args); err != nil {
		return o, err
	}
	want, err := e.want(abi)
	if err != nil {
		return o, err
	}
	depends, err := s.Depends(o.Call)
	if err != nil {
		return o, err
	}
	if len(depends) > 0 {
		return o, failure.Usagef("the verdict depends on %s, which is not known", strings.Join(depends, " and ")).Hintf("write a value in the place of ?")
	}
	o.Got = s.Decide(&o.Call.Data)
	o.Pass = want.Matches(o.Got.Action)
	return o, nil
}

// want reads the action: as flags take it, or as eval prints it, where the name of an error
// comes after its number.
func (e *Expectation) want(abi arch.ABI) (intake.ActionPattern, error) {
	text, errno, named := strings.Cut(e.Want, " ")
	want, err := intake.ParseAction("the action", text, abi)
	if err == nil && named && intake.ErrnoName(want.Action, abi) != errno {
		return want, failure.Usagef("the action: %s is not %s on %s", text, errno, abi).Hintf("write errno:%s", errno)
	}
	return want, err
}
