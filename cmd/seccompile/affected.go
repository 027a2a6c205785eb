package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/advisory"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/host"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/language/snap"
)

const affectedLong = `Affected finds filters that a past defect of seccompile made wrong. SECURITY.md
lists the defects. It looks at what the filters do, so it needs no profile.

It reads raw filters, assembly text and artifacts; the entries of a cache are
artifacts. In a directory it reads every file below, follows links, and skips files
without such a filter. It does not read hex, JSON, C or Go: compile those again. With
--host it reads the filters of all threads of all processes, as dump does for one
process; this needs root outside of containers.

If you have the profile of a reported filter, prove gives the final answer: a few
profiles legitimately mean something else for x32, for example if the order of their
rules depends on the width of arguments.

The exit status is 1 if a filter is affected, or may be affected and only its profile
can settle it (use prove), and 2 if something could not be read.`

func (a *app) affectedCommand() *cobra.Command {
	var running bool
	cmd := &cobra.Command{
		Use:        "affected FILE|DIR...",
		Short:      "find filters that a past defect of seccompile made wrong",
		SuggestFor: []string{"advisory", "cve"},
		Long:       affectedLong,
		Example: `  seccompile affected filter.bpf /var/cache/seccomp
  seccompile affected --host`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s := &search{app: a, seen: map[string]string{}}
			switch {
			case running && len(args) > 0:
				return failure.Usagef("affected: --host reads processes and does not take files")
			case running:
				s.host(cmd.Context())
				return s.result("confined threads")
			case len(args) == 0:
				return failure.Usagef("affected: no file given").Hintf("name files or directories, or use --host for the running processes")
			}
			for _, arg := range args {
				s.tree(arg)
			}
			return s.result("files with filters")
		},
	}
	cmd.Flags().BoolVar(&running, "host", false, "check the filters of all running processes")
	return cmd
}

// A search looks at filters and counts.
type search struct {
	*app
	seen    map[string]string // by digest of the filters looked at: what is wrong, or ""
	holders int               // files and threads that have filters
	bad     int               // of those
	failed  int               // what could not be looked at
	walked  []fs.FileInfo     // directories
}

// unable reports something that cannot be read: it may contain a filter.
func (s *search) unable(err error) {
	s.failed++
	fmt.Fprintf(s.stderr, "seccompile: %s\n", failure.Messages(err)[0])
}

// result prints the counts and returns the answer.
func (s *search) result(holders string) error {
	filters := "different filters"
	if len(s.seen) == 1 {
		filters = "different filter"
	}
	fmt.Fprintf(s.out, "affected: %d of %d %s, %d %s\n", s.bad, s.holders, holders, len(s.seen), filters)
	switch {
	case s.bad > 0:
		return &failure.Error{Status: failure.No}
	case s.failed > 0:
		return &failure.Error{Status: failure.Usage}
	}
	return nil
}

// tree looks at a file, or at all below a directory. A file that is named must
// hold a filter, others need not.
func (s *search) tree(root string) {
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		in, err := s.read(root)
		if err == nil {
			err = s.file(in)
		}
		if err != nil {
			s.unable(err)
		}
		return
	}
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		s.unable(unreadable(root, err))
		return
	}
	_ = filepath.WalkDir(real, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			s.unable(unreadable(path, err))
			return nil
		}
		return s.found(path, d)
	})
}

// found looks at what a directory holds. A link may lead to a directory that is being
// walked: each is walked once.
func (s *search) found(path string, d fs.DirEntry) error {
	info, err := os.Stat(path) // of what a link leads to
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // it has gone since, or the link leads nowhere
	case err != nil:
		s.unable(unreadable(path, err))
		return nil
	case d.IsDir():
		if slices.ContainsFunc(s.walked, func(w fs.FileInfo) bool { return os.SameFile(w, info) }) {
			return filepath.SkipDir
		}
		s.walked = append(s.walked, info)
		return nil
	case info.IsDir():
		s.tree(path)
		return nil
	case !info.Mode().IsRegular() || info.Size() > artifact.MaxSize: // larger than any filter
		return nil
	}
	data, err := readFile(path)
	if err != nil {
		s.unable(unreadable(path, err))
		return nil
	}
	in := intake.New(path, failure.Shown(path), data)
	if err := s.file(in); err != nil && (in.Kind == intake.KindArtifact || in.Kind == intake.KindSnap) { // other kinds are not filters
		s.unable(err)
	}
	return nil
}

// file looks at the filters in a file. The error says why it holds none.
func (s *search) file(in *intake.Input) error {
	var programs []*cbpf.Program
	switch in.Kind {
	case intake.KindArtifact:
		file, err := artifact.Decode(in.Data)
		if err != nil {
			return in.No(err)
		}
		for i := range file.Programs {
			programs = append(programs, file.Programs[i].Filter)
		}
	case intake.KindSnap:
		f, err := snap.Decode(in.Data)
		if err != nil {
			return in.No(err)
		}
		if !f.Unrestricted {
			programs = append(programs, f.Deny, f.Allow)
		}
	default:
		p, err := in.Program()
		if err != nil {
			return err
		}
		programs = append(programs, p)
	}
	s.look(in.Name, programs...)
	return nil
}

// host looks at the filters of every thread. A thread can have others than the first
// one of its process.
func (s *search) host(ctx context.Context) {
	_, err := host.Walk(ctx, func(t *host.Thread) {
		switch {
		case t.Mode != host.Filtered:
		case t.Err != nil:
			s.unable(fmt.Errorf("thread %d: %s", t.TID, failure.Unprefixed(t.Err.Error())))
		default:
			var programs []*cbpf.Program
			for _, f := range t.Filters {
				programs = append(programs, f.Program)
			}
			s.look(fmt.Sprintf("thread %d", t.TID), programs...)
		}
	})
	if err != nil {
		s.unable(err)
	}
}

// look looks at the filters of a file or thread and prints what is wrong with them.
func (s *search) look(holder string, programs ...*cbpf.Program) {
	s.holders++
	var wrong []string
	for _, p := range programs {
		b, _ := p.AppendBinary(nil) // the error is always nil
		digest := artifact.Digest(b)
		text, known := s.seen[digest]
		if !known {
			text = judge(p)
			s.seen[digest] = text
		}
		if text != "" && !slices.Contains(wrong, text) {
			wrong = append(wrong, text)
			fmt.Fprintf(s.out, "%s: %s\n", holder, text)
		}
	}
	if len(wrong) > 0 {
		s.bad++
	}
}

// judge returns what a defect did to a filter, or "".
func judge(p *cbpf.Program) string {
	f, err := advisory.X32Masks(p)
	switch {
	case err != nil:
		return fmt.Sprintf("may be affected: %v (seccompile prove PROFILE FILTER)", err)
	case f == nil:
		return ""
	}
	verdict := "stricter"
	if f.Weaker() {
		verdict = "weaker"
	}
	call := func(a arch.ABI, d *cbpf.Data, action cbpf.Action) string {
		return fmt.Sprintf("\n  %v %s: %s", a, symbols.Call(a, d.NR, d.Args), symbols.Action(a, action))
	}
	return "affected: " + verdict + " for x32 than for x86_64" + call(arch.X86_64, &f.X8664, f.Right) + call(arch.X32, &f.X32, f.Wrong)
}
