package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/syscalltables"
)

// What the linker puts into the binaries of a release (tools/release): their version, as
// in v0.1.0, and the commit that they were built from.
var releaseVersion, releaseCommit string

// buildVersion returns the version of the release, or of the module that the command was
// built from.
func buildVersion() string {
	if releaseVersion != "" {
		return releaseVersion
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// buildCommit returns the commit that the command was built from, with "-dirty" if files
// had changed since, or "" if it is not known, as in what go install builds of a version.
func buildCommit() string {
	if releaseCommit != "" {
		return releaseCommit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	return commit + dirty
}

// A versionJSON is the document of version --json.
type versionJSON struct {
	Version    int    `json:"version"` // of the document
	Seccompile string `json:"seccompile"`
	Commit     string `json:"commit,omitempty"` // of the sources, where it is known
	Go         string `json:"go"`
	Platform   string `json:"platform"`
	Syscalls   string `json:"syscalls"` // the Linux release of the syscall tables
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "print the version and the Linux release of the syscall tables",
		Long: `Version prints the versions of seccompile, of Go and of the syscall tables: the
Linux release whose system calls seccompile knows. With --json it also prints the
commit that seccompile was built from, where that is known.`,
		Example: `  seccompile version
  seccompile version --json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			v := versionJSON{
				answer.Version, buildVersion(), buildCommit(), runtime.Version(),
				runtime.GOOS + "/" + runtime.GOARCH, syscalltables.Kernel().String(),
			}
			if asJSON {
				return a.putJSON(new(output), v)
			}
			fmt.Fprintf(a.out, "seccompile %s (%s, %s)\nsystem calls of Linux %s\n", v.Seccompile, v.Go, v.Platform, v.Syscalls)
			return nil
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}
