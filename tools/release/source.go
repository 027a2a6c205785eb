package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A source is the checkout that a release is built from.
type source struct {
	root    string // its directory
	version string // of the release, as in v0.1.0
	commit  string // 40 hexadecimal digits
	dirty   bool   // files differ from the commit
	time    time.Time
}

// openSource looks at a checkout. It refuses one whose files differ from its commit, unless
// dirty is set, and one whose tag of this version is another commit.
func openSource(ctx context.Context, root, version string, dirty bool) (*source, error) {
	if !regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9a-z]+(\.[0-9a-z]+)*)?$`).MatchString(version) {
		return nil, fmt.Errorf("version %q: expected vX.Y.Z or vX.Y.Z-rc.1", version)
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	s := &source{root: root, version: version}
	if s.commit, err = s.git(ctx, "rev-parse", "HEAD"); err != nil {
		return nil, err
	}
	changed, err := s.git(ctx, "status", "--porcelain")
	if err != nil {
		return nil, err
	}
	if s.dirty = changed != ""; s.dirty && !dirty {
		return nil, fmt.Errorf("%s: files differ from the commit (commit or stash them, or pass -dirty):\n%s", root, changed)
	}
	// Without a tag the output is empty: a release can be tried before it is tagged.
	tagged, err := s.git(ctx, "for-each-ref", "--format=%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)", "refs/tags/"+version)
	if err != nil {
		return nil, err
	}
	if tagged != "" && tagged != s.commit {
		return nil, fmt.Errorf("%s: tag %s is %s, and the checkout is at %s (check the tag out)", root, version, tagged, s.commit)
	}
	s.time, err = s.epoch(ctx)
	return s, err
}

// export writes the commit's files to a directory and returns the source there. What git
// is told to overlook in the checkout, such as an ignored file in a package, Go would compile.
func (s *source) export(ctx context.Context, dir string) (*source, error) {
	archive, err := output(exec.CommandContext(ctx, "git", "-C", s.root, "-c", "core.autocrlf=false", "-c", "core.attributesFile=/dev/null",
		"archive", "--format=tar", s.commit))
	if err != nil {
		return nil, err
	}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			there := *s
			there.root = dir
			return &there, nil
		}
		if err != nil {
			return nil, fmt.Errorf("git archive: %w", err)
		}
		if h.Typeflag != tar.TypeReg {
			continue // directories are made for their files
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return nil, fmt.Errorf("git archive: %s: %w", h.Name, err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return nil, err
		}
	}
}

// epoch returns the time that all files of the release get: SOURCE_DATE_EPOCH, or else when
// the commit was made.
func (s *source) epoch(ctx context.Context) (time.Time, error) {
	text, given := os.LookupEnv("SOURCE_DATE_EPOCH")
	if !given {
		var err error
		if text, err = s.git(ctx, "show", "--no-patch", "--format=%ct", "HEAD"); err != nil {
			return time.Time{}, err
		}
	}
	seconds, err := strconv.ParseUint(text, 10, 32)
	if err != nil || seconds == 0 { // zero would mean the time of the build to some formats
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH or the commit's time: %q: expected seconds since 1970", text)
	}
	return time.Unix(int64(seconds), 0).UTC(), nil
}

// revision returns the commit as the binaries name it.
func (s *source) revision() string {
	if s.dirty {
		return s.commit + "-dirty"
	}
	return s.commit
}

// number returns the version without its v.
func (s *source) number() string { return strings.TrimPrefix(s.version, "v") }

func (s *source) git(ctx context.Context, args ...string) (string, error) {
	out, err := output(exec.CommandContext(ctx, "git", append([]string{"-C", s.root}, args...)...))
	return strings.TrimRight(string(out), "\n"), err
}

// output returns what a command prints, or an error with its complaint.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args[:min(2, len(cmd.Args))], " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}
