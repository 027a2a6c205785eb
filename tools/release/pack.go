package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // nfpm.Get's formats
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

const (
	maintainer  = "The seccompile maintainers <seccompile@users.noreply.github.com>"
	description = `compile, prove, review and install seccomp filters
Compiles the seccomp profiles of container engines, systemd, Kubernetes and
other tools to BPF filters, and proves each filter equal to its profile. Also
records, explains, compares and checks profiles.`
)

// pack writes a package of a format of nfpm's, deb or rpm, to a directory. Its files are
// where Debian and Fedora want them.
func pack(s *source, t target, format, dir string, fs []file) (err error) {
	tmp, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	contents, err := place(fs, format, tmp, s)
	if err != nil {
		return err
	}
	p, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: "seccompile", Arch: t.pkg, Platform: "linux", Version: s.version, Section: "utils", Priority: "optional",
		Maintainer: maintainer, Description: description, Homepage: repository, License: "Apache-2.0",
		DisableGlobbing: true, MTime: s.time,
		Overridables: nfpm.Overridables{Contents: contents, RPM: nfpm.RPM{BuildHost: "localhost"}},
	})
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := p.Package(info, &b); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, p.ConventionalFileName(info)), b.Bytes(), 0o644)
}

// place lays files out as a package of a format has them, in a directory from which nfpm
// reads them.
func place(list []file, format, tmp string, s *source) (files.Contents, error) {
	if format == "deb" {
		list = append(list[:len(list):len(list)], debian(s)...)
	}
	var contents files.Contents
	for i, f := range list {
		at := destination(f.name, format)
		if at == "" {
			continue
		}
		data := f.data
		if strings.HasPrefix(at, "/usr/share/man/") || f.name == "changelog" {
			var err error
			if data, err = compress(gzip.BestCompression, func(w io.Writer) error { _, err := w.Write(f.data); return err }); err != nil {
				return nil, err
			}
			at += ".gz"
		}
		from := filepath.Join(tmp, strconv.Itoa(i))
		if err := os.WriteFile(from, data, f.mode); err != nil {
			return nil, err
		}
		contents = append(contents, &files.Content{Source: from, Destination: at, FileInfo: &files.ContentFileInfo{Mode: f.mode, MTime: s.time}})
	}
	return contents, nil
}

// debian returns what Debian's packages have besides.
func debian(s *source) []file {
	version := strings.Replace(s.number(), "-", "~", 1)
	changelog := "seccompile (" + version + ") unstable; urgency=medium\n\n  * " + repository + "/blob/" + s.version + "/CHANGELOG.md\n\n" +
		" -- " + maintainer + "  " + s.time.Format(time.RFC1123Z) + "\n"
	copyright := "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: seccompile\nSource: " + repository + "\n\n" +
		"Files: *\nCopyright: " + strconv.Itoa(s.time.Year()) + " The seccompile authors\nLicense: Apache-2.0\n" +
		" On Debian systems, the licence is in /usr/share/common-licenses/Apache-2.0.\n" +
		" THIRD-PARTY-LICENCES has those of the modules that are linked in.\n"
	overrides := "# Go links statically, so that one binary runs on every distribution.\nseccompile: statically-linked-binary [usr/bin/seccompile]\n"
	return []file{
		{"changelog", []byte(changelog), 0o644},
		{"copyright", []byte(copyright), 0o644},
		{"lintian/overrides/seccompile", []byte(overrides), 0o644},
	}
}

// destination returns where a package installs a file of the archive, "" if it does not.
func destination(name, format string) string {
	switch {
	case name == "seccompile":
		return "/usr/bin/seccompile"
	case name == "LICENSE" && format == "deb":
		return "" // every Debian has it
	case name == "LICENSE":
		return "/usr/share/licenses/seccompile/LICENSE"
	case strings.HasPrefix(name, "man/"), strings.HasPrefix(name, "lintian/"):
		return "/usr/share/" + name
	case path.Ext(name) == ".bash":
		return "/usr/share/bash-completion/completions/seccompile"
	case path.Ext(name) == ".fish":
		return "/usr/share/fish/vendor_completions.d/seccompile.fish"
	case name == "completions/_seccompile" && format == "deb":
		return "/usr/share/zsh/vendor-completions/_seccompile"
	case name == "completions/_seccompile":
		return "/usr/share/zsh/site-functions/_seccompile"
	}
	return "/usr/share/doc/seccompile/" + name
}
