package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/advisory"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/words"
)

const affectedLong = `Affected finds filters that a past defect of seccompile made wrong. SECURITY.md
lists the defects. It looks at what filters do, so it needs no profile.

It reads raw filters, assembly text and artifacts; the entries of a cache are
artifacts. In a directory it looks at every file below, follows links, and leaves out
what holds no such filter: compile hex, JSON, C and Go again. With --host it looks at
the filters of all threads of all processes, as dump does for one: that takes root
outside of containers. Where you have the profile of a filter that is named here, prove
decides: a few profiles mean something else for x32 by right, for example if the order
of their rules depends on the width of arguments.

The exit status is 1 if a filter is affected, or may be and only its profile can
tell (prove it then), and 2 if something could not be looked at.`

func (a *app) affectedCommand() *cobra.Command {
	var host bool
	cmd := &cobra.Command{
		Use:   "affected FILE|DIR...",
		Short: "find filters that a past defect made wrong",
		Long:  affectedLong,
		Example: `  seccompile affected filter.bpf /var/cache/seccomp
  seccompile affected --host`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s := &search{app: a, seen: map[string]string{}}
			switch {
			case host && len(args) > 0:
				return usagef("affected: --host looks at processes and takes no files")
			case host:
				s.host(cmd.Context())
				return s.result("confined threads")
			case len(args) == 0:
				return usagef("affected: no file").hintf("name files or directories, or use --host for the running processes")
			}
			for _, arg := range args {
				s.tree(arg)
			}
			return s.result("files with filters")
		},
	}
	cmd.Flags().BoolVar(&host, "host", false, "look at the filters of all running processes")
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

// unable reports something that cannot be looked at: there may be a filter in it.
func (s *search) unable(err error) {
	s.failed++
	fmt.Fprintf(s.stderr, "seccompile: %s\n", messages(err)[0])
}

// result prints the counts and returns the answer.
func (s *search) result(holders string) error {
	fmt.Fprintf(s.out, "affected: %d of %d %s, %d different filters\n", s.bad, s.holders, holders, len(s.seen))
	switch {
	case s.bad > 0:
		return &failure{code: exitNo}
	case s.failed > 0:
		return &failure{code: exitUsage}
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
	in := &input{path: path, name: shown(path), kind: sniff(data), data: data}
	if err := s.file(in); err != nil && in.kind == kindArtifact { // others are no filters
		s.unable(err)
	}
	return nil
}

// file looks at the filters in a file. The error says why it holds none.
func (s *search) file(in *input) error {
	var programs []*cbpf.Program
	if in.kind == kindArtifact {
		file, err := artifact.Decode(in.data)
		if err != nil {
			return in.no(err)
		}
		for i := range file.Programs {
			programs = append(programs, file.Programs[i].Filter)
		}
	} else {
		p, err := in.program()
		if err != nil {
			return err
		}
		programs = append(programs, p)
	}
	s.look(in.name, programs...)
	return nil
}

// host looks at the filters of every thread. A thread can have others than the first
// one of its process.
func (s *search) host(ctx context.Context) {
	threads, err := filepath.Glob("/proc/[0-9]*/task/[0-9]*")
	if err == nil && len(threads) == 0 {
		err = errors.New("affected: /proc shows no processes (mount it, on Linux)")
	}
	if err != nil {
		s.unable(err)
	}
	for _, dir := range threads {
		status, _ := os.ReadFile(dir + "/status") // fails if it has ended
		if !bytes.Contains(status, []byte("\nSeccomp:\t2\n")) {
			continue
		}
		tid, _ := strconv.Atoi(filepath.Base(dir))
		filters, err := s.dumped(ctx, tid)
		switch {
		case errors.Is(err, syscall.ESRCH), errors.Is(err, loader.ErrNoFilters):
			continue
		case err != nil:
			s.unable(fmt.Errorf("thread %d: %w", tid, err))
			continue
		}
		var programs []*cbpf.Program
		for _, f := range filters {
			programs = append(programs, f.Program)
		}
		s.look(fmt.Sprintf("thread %d", tid), programs...)
	}
}

// dumped returns the filters of a thread, unless it cannot be stopped: one that waits
// for the child of a vfork(2) can do so for ever.
func (s *search) dumped(ctx context.Context, tid int) ([]loader.LiveFilter, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Second, errors.New("it waits in the kernel and cannot be stopped"))
	defer cancel()
	filters, err := loader.Dump(ctx, tid)
	if errors.Is(err, context.DeadlineExceeded) {
		err = context.Cause(ctx)
	}
	return filters, err
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
		return fmt.Sprintf("\n  %v %s: %s", a, words.Call(a, d.NR, d.Args), words.Action(a, action))
	}
	return "affected: " + verdict + " for x32 than for x86_64" + call(arch.X86_64, &f.X8664, f.Right) + call(arch.X32, &f.X32, f.Wrong)
}
