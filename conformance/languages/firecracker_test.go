package languages

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language/firecracker"
)

// Each filter of Firecracker's means what the calls to libseccomp make of it that
// seccompiler-bin makes, on the machine that it is for and when compiled on another one.
func TestFirecracker(t *testing.T) {
	dir := corpus(t, "firecracker")
	var results []struct {
		JSON, Thread, Arch, Libseccomp string
		outcome
	}
	load(t, filepath.Join(dir, "results.json"), &results)
	var rows []row
	index := make(map[string]int)
	for _, r := range results {
		abis := []arch.ABI{arch.X86_64}
		if r.Arch == "aarch64" {
			abis = []arch.ABI{arch.AArch64}
			if !strings.Contains(r.Libseccomp, "on aarch64") {
				abis = append(abis, arch.X86_64) // the machine that it was made on
			}
		}
		set := r.Arch + " " + r.Libseccomp
		if _, ok := index[set]; !ok {
			index[set] = len(rows)
			rows = append(rows, row{set: set})
		}
		rows[index[set]].judge(t, firecracker.Language{Thread: r.Thread, Targets: abis}, dir, r.JSON, abis[0], r.verdict(t, dir), held, abis[1:]...)
	}
	table(t, rows)
}
