package record

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/policy"
)

// A Row is the row of archMap that a profile in Docker's format has, or lacks, for a machine.
type Row struct {
	Pointer string // as [policy.Policy.ArchMap] has it
	Machine arch.ABI
}

// rowOf returns the row that the ABIs of a profile are from, nil if they are not from one.
func rowOf(p *policy.Policy) *Row {
	if p.ArchMap == "" || len(p.ABIs) == 0 {
		return nil
	}
	return &Row{p.ArchMap, p.ABIs[0]}
}

// New reports whether the profile lacks the row.
func (r *Row) New() bool { return strings.HasSuffix(r.Pointer, "/-") }

// Text returns the row as JSON, with these subArchitectures.
func (r *Row) Text(abis []arch.ABI) string {
	return `{"architecture": ` + strconv.Quote(r.Machine.OCI()) + `, "subArchitectures": [` + strings.Join(quoted(abis), ", ") + "]}"
}

// refuse says why ABIs cannot be added to the row: other machines read other rows.
func (r *Row) refuse(abis []arch.ABI) error {
	for _, abi := range abis {
		if r != nil && !slices.Contains(r.Machine.Family(), abi) {
			return fmt.Errorf("record: the profile was read for %s, which does not run %s (read it for %s)", r.Machine, abi, abi.Main())
		}
	}
	return nil
}

// quoted returns the names of ABIs in profiles, as JSON.
func quoted(abis []arch.ABI) (names []string) {
	for _, abi := range abis {
		names = append(names, strconv.Quote(abi.OCI()))
	}
	return names
}
