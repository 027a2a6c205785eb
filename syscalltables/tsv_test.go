package syscalltables

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
)

// TestTheTablesSayWhatTheFileSays reads every cell of syscalls.tsv without the
// generator's help.
func TestTheTablesSayWhatTheFileSays(t *testing.T) {
	text, err := os.ReadFile("syscalls.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var head []string
	rows, seen := 0, map[arch.ABI]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if kernel, ok := strings.CutPrefix(line, "# Linux "); ok && kernel != Kernel().String() {
			t.Errorf("the file is of Linux %s, the tables are of %v", kernel, Kernel())
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		if head == nil {
			head = fields
			continue
		}
		rows++
		c := lookup(t, fields[0])
		for i, cell := range fields[2:] {
			for _, a := range abisOf(t, head[i+2]) {
				seen[a] = true
				if want, got := strings.Split(cell, "!")[0], cellOf(c, a); got != want {
					t.Errorf("%v on %v is %s, the file has %s", c, a, got, want)
				}
			}
		}
	}
	if rows != calls || len(seen) != 23 {
		t.Errorf("the file has %d rows for %d ABIs, the tables %d for 23", rows, len(seen), calls)
	}
}

// abisOf returns the ABIs of a column: more than one where only the byte order
// differs.
func abisOf(t *testing.T, column string) []arch.ABI {
	switch column {
	case "mips":
		return []arch.ABI{arch.MIPS, arch.MIPSEL}
	case "mips64":
		return []arch.ABI{arch.MIPS64, arch.MIPSEL64}
	case "mips64n32":
		return []arch.ABI{arch.MIPS64N32, arch.MIPSEL64N32}
	case "ppc64":
		return []arch.ABI{arch.PPC64, arch.PPC64LE}
	case "sh":
		return []arch.ABI{arch.SH, arch.SHEB}
	}
	a, err := arch.Parse(column)
	if err != nil {
		t.Fatal(err)
	}
	return []arch.ABI{a}
}

// cellOf writes what the tables say in the form of a cell of the file.
func cellOf(c Call, a arch.ABI) string {
	nr, ok := c.Number(a)
	if !ok {
		return "-"
	}
	text := strconv.Itoa(int(nr - a.Base()))
	switch s := c.Since(a); {
	case s.Exact:
		return fmt.Sprintf("%s@%v", text, s.By)
	case s.After != Version{}:
		return fmt.Sprintf("%s@%v..%v", text, s.After, s.By)
	case s.By != Version{}:
		return fmt.Sprintf("%s@<=%v", text, s.By)
	}
	return text
}
