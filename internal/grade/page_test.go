package grade

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/golden"
	"github.com/seccompile/seccompile/proof"
)

var update = flag.Bool("update", false, "rewrite the page")

// docs/GRADE.md is made of the table.
func TestPageIsFresh(t *testing.T) {
	golden.Check(t, *update, "../../docs/GRADE.md", page(t))
}

const intro = `# Grades

` + "`seccompile check --grade`" + ` says with a letter, and with up to 100 points, what a profile or
filter leaves to the program that it confines:

    seccompile check --grade profile.json          # a line for each power, with the reason
    seccompile check -q --grade *.json filter.bpf  # a line for each file
    seccompile check --min-grade B profile.json    # exit with 1 below B

A grade is about the filter alone. Capabilities, namespaces, Linux security modules and the
version of the kernel also keep programs from what is listed here, and a filter with an A may
still be wrong for its program: the rest of ` + "`check`" + ` is about that.

## How it is decided

**A power is a set of calls**: numbers of each ABI and, where arguments matter, the values
that the kernel acts on. Of an int it reads the lower 32 bits, so that a rule which compares
all 64 leaves a way. What is behind a pointer, such as the flags of clone3, a filter cannot
see: the whole call counts.

**A power is reachable if the filter lets any of these calls through.** The proof decides
that for all arguments, of a profile and of a filter alike ([PROOF.md](PROOF.md)). Names in a
profile play no part. If the proof gives up, there is no grade.

**Through means weaker than ERRNO** in the kernel's own order of actions: NOTIFY, TRACE, LOG
and ALLOW. What a supervisor or tracer decides is not the filter's to deny. An unknown action
that ranks there counts too: LOG was one, before kernels knew it.

**All ABIs of the kernel count**, targets or not: a program can switch from x86_64 to x86
with one instruction. On MIPS each task can use the numbers of all three ABIs.

**A weaker filter never has a better grade.** The points lost are a sum over sets of calls,
each of which counts once any of its calls is let through; "other calls" count in proportion.
What a filter lets through in addition can only add to that.

With ` + "`-a`" + ` a grade does not depend on the host. Grades compare where the ABIs are the same. A
new release of the tables may add calls to a power.

`

const ci = `
## In CI

    - run: seccompile check -a x86_64 --min-grade B --badge grade.svg profile.json

` + "`--json`" + ` has ` + "`grade`" + ` for each profile: the letter, the points, the ABIs, and each power with its
reason. ` + "`--sarif`" + ` has one result ` + "`grade`" + ` for each file, an error if the grade is below
` + "`--min-grade`" + `, else a note. The badge is SVG that loads nothing, and its title says what it
shows. A profile that is refused has no grade, and the exit status is 1 all the same.
`

func page(t *testing.T) string {
	var b strings.Builder
	b.WriteString(intro)
	b.WriteString("## Letters\n\n| grade | points |\n|---|---|\n")
	most := 100
	for _, l := range letters {
		fmt.Fprintf(&b, "| %s | %d to %d |\n", l.letter, l.from, most)
		most = l.from - 1
	}
	b.WriteString("\n## Powers\n\n| ID | points | a program can | by |\n|---|---|---|---|\n")
	for p := range power(len(powers)) {
		fmt.Fprintf(&b, "| [`%s`](#%[1]s) | %d | %s | %s |\n", powers[p].ID, powers[p].Points, powers[p].Title, by(p))
	}
	b.WriteString("\n## Why these points\n\nSix points are for what ends the confinement, or has done so again and again; one is for what\nmost programs need, or what seldom helped an attacker. What a default allows or denies is\nmeant for the capabilities that its program gives by default.\n")
	for _, p := range powers {
		fmt.Fprintf(&b, "\n### %s\n\n%s: can %s.\n\n%s\n", p.ID, plural(p.Points), p.Title, wrap(p.Why))
	}
	b.WriteString("\n## Grades of well-known defaults\n\n| profile | kernel | grade |\n|---|---|---|\n")
	for _, name := range releases() {
		r := release(t, name)
		g := mustGrade(t, mustScale(t, r.ABIs()...), proof.Policy(r))
		fmt.Fprintf(&b, "| `preset:%s` | x86_64 | %s, %d |\n", name, g.Letter(), g.Points)
	}
	for _, main := range kernels() {
		if main == arch.X86_64 {
			continue
		}
		g := mustGrade(t, mustScale(t, main), proof.Policy(mustResolve(t, docker(t, main), main.Family()...)))
		fmt.Fprintf(&b, "| `docker-default` | %v | %s, %d |\n", main, g.Letter(), g.Points)
	}
	b.WriteString(`
With the capabilities that these programs give by default, on a recent kernel. That Docker
denies AF_ALG and AF_VSOCK earns nothing on x86_64, as programs reach both through x86's
socketcall. Docker's older profiles knew fewer calls, and denied ptrace, which led out of
filters before Linux 4.8. Podman and CRI-O allow user namespaces, other namespaces, mounts and
keyrings. ` + "`SECCOMPILE_PROFILES`" + `, a list of directories, has the tests grade the profiles in
them: more than 250 profiles of programs and of projects on GitHub have 51 different numbers
of points.
`)
	b.WriteString(ci)
	return b.String()
}

// wrap breaks a text into lines.
func wrap(text string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch column += 1 + len(word); {
		case b.Len() == 0:
		case column > 91:
			b.WriteByte('\n')
			column = len(word)
		default:
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

func plural(points int) string {
	if points == 1 {
		return "One point"
	}
	return fmt.Sprintf("%d points", points)
}

// by lists the calls that give a power, with their conditions.
func by(p power) string {
	switch p {
	case compat:
		return "any call of x86 beside x86_64, of arm beside aarch64, of s390 beside s390x, and so on"
	case x32:
		return "any call of x32"
	case future:
		return "numbers that the tables have no call for, from the ABI's first to 2^30 after it (999 on MIPS)"
	case calls:
		return "all that are not listed above, or with arguments that are not"
	}
	var list []string
	for _, r := range rows() {
		if !r.gives.has(p) || slices.ContainsFunc(rows(), func(x row) bool { return x.gives.has(p) && x.contains(&r) }) {
			continue
		}
		when := ""
		for i, c := range r.when {
			when += [...]string{" if ", " and "}[min(i, 1)] + c.String()
		}
		if len(r.when) == 0 && slices.ContainsFunc(rows(), func(x row) bool { return x.calls == r.calls && len(x.when) > 0 }) {
			when = " otherwise"
		}
		for name := range strings.FieldsSeq(r.calls) {
			if text := "`" + name + "`" + when; !slices.Contains(list, text) {
				list = append(list, text)
			}
		}
	}
	return strings.Join(list, ", ")
}

// contains reports whether a row is about all calls that another is about, and more.
func (r *row) contains(other *row) bool {
	return r.calls == other.calls && len(r.when) < len(other.when) &&
		!slices.ContainsFunc(r.when, func(c cond) bool { return !slices.Contains(other.when, c) })
}

// String writes a condition.
func (c cond) String() string {
	left, op, right := c.arg, "==", c.value
	if c.bits != "" {
		left += " & " + c.bits
		if strings.Contains(c.bits, "|") {
			left = c.arg + " & (" + c.bits + ")"
		}
	}
	if c.not {
		op, right = "!=", "0"
	}
	return "`" + strings.ReplaceAll(left+" "+op+" "+right, "|", `\|`) + "`"
}
