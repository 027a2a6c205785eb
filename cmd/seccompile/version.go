package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/syscalltables"
)

// buildVersion returns the version of the module that the command was built from.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// A versionJSON is the document of version --json.
type versionJSON struct {
	Version    int    `json:"version"` // of the document
	Seccompile string `json:"seccompile"`
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
Linux release whose system calls seccompile knows.`,
		Example: `  seccompile version
  seccompile version --json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			v := versionJSON{
				jsonVersion, buildVersion(), runtime.Version(),
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
