package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/conformance/kernels/internal/cases"
	"github.com/seccompile/seccompile/conformance/kernels/internal/console"
)

// A result is what a guest's session amounts to.
type result struct {
	job            *job
	session        session
	release        string
	passed, failed int
	calls          []count // by ABI, in the order of the guest's callers
	notes, skips   []console.Line
	failures       []console.Line // failed checks
	broken         []string       // what is wrong with the session
	caught         []string       // failed checks by ABI, where they had to fail
}

type count struct {
	abi string
	n   int
}

// judge sums up a session. digests are those of the programs compiled here.
func judge(j *job, s session, digests map[string]string) result {
	r := result{job: j, session: s}
	for _, abi := range j.guest.callers {
		r.calls = append(r.calls, count{abi.String(), 0})
	}
	if s.err != nil {
		r.broken = append(r.broken, s.err.Error())
	}
	same := 0
	for _, l := range s.lines {
		switch l.Kind {
		case console.Start:
			r.release = l.Name
		case console.Pass:
			r.passed++
		case console.Fail:
			r.failed++
			r.failures = append(r.failures, l)
		case console.Skip:
			r.skips = append(r.skips, l)
		case console.Note:
			r.notes = append(r.notes, l)
		case console.Digest:
			if digests[l.Name] == l.Text {
				same++
			} else {
				r.broken = append(r.broken, fmt.Sprintf("%s: compiled here SHA-256 is %s, in the guest %s", l.Name, digests[l.Name], l.Text))
			}
		case console.Calls:
			n, _ := strconv.Atoi(l.Text)
			if i := slices.IndexFunc(r.calls, func(c count) bool { return c.abi == l.Name }); i >= 0 {
				r.calls[i].n += n
			}
		case console.End:
			if l.Name != strconv.Itoa(r.passed) || l.Text != strconv.Itoa(r.failed) {
				r.broken = append(r.broken, fmt.Sprintf("reports got lost: %s checks passed and %s failed, %d and %d were heard of", l.Name, l.Text, r.passed, r.failed))
			}
		}
	}
	if s.err == nil && same != len(digests) {
		r.broken = append(r.broken, fmt.Sprintf("%d of %d compiled programs are the same as here", same, len(digests)))
	}
	if j.flaw.fault != cases.None {
		j.flaw.verify(&r)
	}
	return r
}

// ran reports whether the guest could be booted.
func (r *result) ran() bool { return r.job.absent == nil }

// ok reports whether the guest came to its end and all checks ended as they had
// to.
func (r *result) ok() bool { return len(r.broken) == 0 && len(r.failures) == 0 && r.passed > 0 }

// late reports whether all that is wrong is that the session, or a check, ran out of time.
func (r *result) late() bool {
	for _, f := range r.failures {
		if !console.Late(f.Text) {
			return false
		}
	}
	switch err := r.session.err; {
	case len(r.broken) > 1 || len(r.broken) == 1 && err == nil:
		return false
	case len(r.failures) > 0: // which may have ended the session
		return true
	default:
		return errors.Is(err, context.DeadlineExceeded)
	}
}

// abis lists the ABIs with the number of calls judged through each.
func (r *result) abis() string {
	var out []string
	for _, c := range r.calls {
		out = append(out, fmt.Sprintf("%s %d", c.abi, c.n))
	}
	return strings.Join(out, ", ")
}

// bitmap is what the guest found out about the bitmap of constant allows.
func (r *result) bitmap() string {
	for _, n := range r.notes {
		if n.Name == "bitmap" {
			verdict, _, _ := strings.Cut(n.Text, ":")
			return verdict
		}
	}
	return "-"
}

// progress prints the result of a guest when it has ended.
func (r *result) progress(out *printer) {
	verdict := "ok    "
	if !r.ok() {
		verdict = "FAILED"
	}
	out.say("%s %s, Linux %s: %d checks passed, %d failed, %.0f s", verdict, r.job.name(), r.release, r.passed, r.failed, r.session.took.Seconds())
}

// summary prints what went wrong and the table of all guests, and returns how many
// have failed of those that ran.
func summary(results []result, notes bool, out *printer) (bad int) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "guest\tkernel\tABIs and calls judged\tbitmap\tchecks passed\tskipped\tseconds")
	for i := range results {
		r := &results[i]
		if !r.ran() {
			fmt.Fprintf(w, "%s\tleft out: %s\n", r.job.name(), strings.ReplaceAll(r.job.absent.Error(), "\n", "; "))
			continue
		}
		if kept := r.job.kernel.kept; kept != nil {
			out.say("%s: kept the kernel that was there, a new one is not to be had: %v", r.job.name(), kept)
		}
		if !r.ok() {
			bad++
			r.explain(out)
		}
		for _, l := range r.skips {
			out.say("%s: skipped %s: %s", r.job.name(), l.Name, l.Text)
		}
		for _, l := range r.notes {
			if notes {
				out.say("%s: %s: %s", r.job.name(), l.Name, l.Text)
			}
		}
		if r.caught != nil {
			out.say("%s: the fault %q was caught by failed checks: %s", r.job.name(), r.job.flaw.fault, strings.Join(r.caught, ", "))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d of %d\t%d\t%.0f\n", r.job.name(), r.release, r.abis(), r.bitmap(),
			r.passed, r.passed+r.failed, len(r.skips), r.session.took.Seconds())
	}
	_ = w.Flush() // into memory
	out.say("\n%s", table.String())
	return bad
}

// explain prints what went wrong, the most of it.
func (r *result) explain(out *printer) {
	const most = 20
	out.say("\n%s (console: %s):", r.job.name(), r.session.log)
	for _, p := range r.broken {
		out.say("  %s", strings.ReplaceAll(p, "\n", "\n    "))
	}
	for i, f := range r.failures {
		if i == most {
			out.say("  and %d more", len(r.failures)-most)
			break
		}
		out.say("  %s: %s", f.Name, strings.ReplaceAll(f.Text, "\n", "\n    "))
	}
}

// digests compiles all cases for a kernel's main ABI.
func digests(native arch.ABI) (map[string]string, error) {
	all, err := cases.All(native)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, c := range all {
		made, _, err := compiler.Compile(c.Resolved, compiler.Options{})
		if err != nil {
			return nil, fmt.Errorf("%v: %s: %w", native, c.Name, err)
		}
		raw, err := made.AppendBinary(nil)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(raw)
		out[c.Name] = hex.EncodeToString(sum[:])
	}
	return out, nil
}

// A printer prints whole lines, from several goroutines.
type printer struct {
	sync.Mutex
	w io.Writer
}

func (p *printer) say(format string, args ...any) {
	p.Lock()
	defer p.Unlock()
	fmt.Fprintf(p.w, format+"\n", args...)
}
