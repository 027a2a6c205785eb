// Command api keeps api.txt, which lists what the packages of a module export: one
// line a name, in the style of the files in Go's own api directory.
//
//	go run ./api -write        rewrites api.txt
//	go run ./api [-base REF]   checks it
//
// The check fails when api.txt is stale. It then lists the incompatible lines: those of
// api.txt in the git revision REF that are gone or have changed. A line may go, but
// users must hear of it: for each package that lost a line, the section Unreleased of
// CHANGELOG.md must have a line that it lacks in REF and that names the package by its
// path in the module. Whether that line explains the change is for a reviewer to judge.
// Without -base, REF is the last tag, or HEAD if there is none; what REF does not have
// cannot have changed. A source archive, which has no git repository, is only checked
// for being fresh.
//
// A line that does not hold on every platform says where it does, as in
// "pkg loader (linux-amd64), ...".
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	root := flag.String("root", "..", "the module's `directory`")
	write := flag.Bool("write", false, "rewrite api.txt")
	base := flag.String("base", "", "compare with the api.txt of this git `revision`")
	flag.Parse()
	var err error
	switch {
	case flag.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case *write:
		err = rewrite(*root)
	default:
		err = check(os.Stdout, *root, *base)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}

func rewrite(root string) error {
	now, err := exported(root, platforms())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "api.txt"), []byte(strings.Join(now, "\n")+"\n"), 0o666)
}

// check compares the sources with api.txt, and api.txt with that of a revision.
func check(w io.Writer, root, base string) error {
	now, err := exported(root, platforms())
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(root, "api.txt"))
	if err != nil {
		return err
	}
	committed := splitLines(string(text))
	if !slices.Equal(now, committed) {
		report(w, "-", missing(committed, now))
		report(w, "+", missing(now, committed))
		return fmt.Errorf("api.txt is stale (run make api and commit it)")
	}
	if _, err := os.Stat(filepath.Join(root, ".git")); os.IsNotExist(err) && base == "" {
		fmt.Fprintln(w, "no git repository: api.txt is fresh, and compared with no revision")
		return nil
	}
	if base == "" {
		if base, err = lastTag(root); err != nil {
			return err
		}
	}
	before, err := show(root, base, "api.txt")
	if err != nil {
		return err
	}
	gone := missing(splitLines(before), now)
	fmt.Fprintf(w, "incompatible with %s: %d lines\n", base, len(gone))
	report(w, "-", gone)
	log, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	logBefore, err := show(root, base, "CHANGELOG.md")
	if err != nil {
		return err
	}
	if silent := unannounced(gone, missing(unreleased(string(log)), unreleased(logBefore))); len(silent) > 0 {
		return fmt.Errorf("CHANGELOG.md: no new line under Unreleased names %s (say what changed and what to use instead)",
			strings.Join(silent, ", "))
	}
	return nil
}

func report(w io.Writer, mark string, lines []string) {
	for _, line := range lines {
		fmt.Fprintln(w, mark+line)
	}
}

func splitLines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}

// missing returns the lines of a that b lacks.
func missing(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(line string) bool { return slices.Contains(b, line) })
}

// unannounced returns the packages of incompatible lines that no line of news names.
func unannounced(gone, news []string) []string {
	var silent []string
	for _, line := range gone {
		pkg := strings.TrimSuffix(strings.Fields(line)[1], ",")
		named := regexp.MustCompile(`(^|[^\w/])` + regexp.QuoteMeta(pkg) + `($|[^\w/])`)
		if !slices.ContainsFunc(news, named.MatchString) && !slices.Contains(silent, pkg) {
			silent = append(silent, pkg)
		}
	}
	return silent
}

// unreleased returns the lines of a changelog's section Unreleased.
func unreleased(changelog string) []string {
	_, rest, _ := strings.Cut("\n"+changelog, "\n## [Unreleased]")
	section, _, _ := strings.Cut(rest, "\n## ")
	return splitLines(section)
}

func lastTag(root string) (string, error) {
	tags, err := run(root, "git", "tag", "--merged", "HEAD", "--sort=-creatordate")
	if tags := strings.Fields(tags); len(tags) > 0 {
		return tags[0], nil
	}
	return "HEAD", err
}

// show returns a file as it is in a revision: "" if the revision lacks it.
func show(root, revision, file string) (string, error) {
	names, err := run(root, "git", "ls-tree", "--name-only", revision, "--", file)
	if names == "" {
		return "", err
	}
	return run(root, "git", "show", revision+":./"+file)
}

func run(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out), nil
}
