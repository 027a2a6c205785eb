package main

import (
	"errors"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/emit"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/oci"
)

func (a *app) featuresCommand() *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:        "features",
		Short:      "print what seccompile and the running kernel support",
		SuggestFor: []string{"probe"},
		Long: `Features prints a JSON document: the seccomp part of runtime-spec's features, as OCI
runtimes print it, and under "kernel" what the running kernel supports. On systems
other than Linux the part "kernel" is missing.`,
		Example: `  seccompile features
  seccompile features | jq .linux.seccomp.supportedFlags`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			doc, err := featuresDocument()
			if err != nil {
				return err
			}
			return a.putJSON(&o, doc)
		},
	}
	var always bool
	addJSON(cmd, &always) // the only format; accepted because other commands have it
	o.add(cmd)
	return cmd
}

// A featuresJSON is the document of features: runtime-spec's with more fields.
type featuresJSON struct {
	Version int `json:"version"`
	features.Features
	Kernel *kernelJSON `json:"kernel,omitempty"`
}

type kernelJSON struct {
	Release string   `json:"release"`
	Actions []string `json:"actions"`
	Flags   []string `json:"flags"`
	// Sizes of the listener's structs in bytes, zero without a listener.
	Notification     int `json:"sizeofNotif"`
	NotificationResp int `json:"sizeofNotifResp"`
	Data             int `json:"sizeofData"`
}

func featuresDocument() (*featuresJSON, error) {
	doc := &featuresJSON{Version: answer.Version}
	doc.OCIVersionMin, doc.OCIVersionMax = "1.0.0", specs.Version
	doc.Linux = &features.Linux{Seccomp: oci.Features()}
	probed, err := loader.Probe()
	if errors.Is(err, errors.ErrUnsupported) {
		*doc.Linux.Seccomp.Enabled = false
		return doc, nil
	}
	if err != nil {
		return nil, err
	}
	doc.Kernel = &kernelJSON{
		Release: kernelRelease(), Actions: []string{}, Flags: emit.FlagNames(probed.Flags),
		Notification: probed.NotifSize, NotificationResp: probed.RespSize, Data: probed.DataSize,
	}
	for _, action := range probed.Actions {
		name, _, _ := strings.Cut(action.String(), "(")
		doc.Kernel.Actions = append(doc.Kernel.Actions, "SCMP_ACT_"+name)
	}
	return doc, nil
}
