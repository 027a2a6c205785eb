package languages

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/systemd"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// What RestrictAddressFamilies= and RestrictNamespaces= let through is what running the
// filters of three versions of systemd gave, as tables. The texts of the units are those of
// the two versions whose filters are there.
func TestSystemdTables(t *testing.T) {
	dir := os.Getenv("SECCOMPILE_POLICIES")
	if dir == "" {
		t.Skip("SECCOMPILE_POLICIES does not name a directory with the filters that policy tools made")
	}
	dir = filepath.Join(dir, "systemd")
	units := readUnits(t, filepath.Join(dir, "units-252.json.gz"))
	for name, u := range readUnits(t, filepath.Join(dir, "units-257.json.gz")) {
		units[name] = u
	}
	for file, check := range map[string]func(stack, []string) string{"families.tsv": families, "namespaces.tsv": namespaces} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		rows, missing := map[string]int{}, 0
		for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")[1:] {
			row := strings.Split(line, "\t")
			u, ok := units[row[0]]
			if !ok {
				missing++
				continue
			}
			rows[row[1]]++
			if got := check(read(t, row[1], u.Unit), row); got != strings.Join(row, "\t") {
				t.Errorf("%s\ngot  %s\nwant %s", file, got, line)
			}
		}
		t.Logf("%s: rows %v, and %d of units that are not there", file, rows, missing)
		for _, version := range []string{"252", "257", "262"} {
			if rows[version] < 20 {
				t.Errorf("%s: %d rows for systemd %s", file, rows[version], version)
			}
		}
	}
}

// A stack answers what the policies of a unit do with one call.
type stack struct{ proof.Subject }

func read(t *testing.T, version, text string) stack {
	t.Helper()
	n, err := strconv.Atoi(version)
	if err != nil {
		t.Fatal(err)
	}
	reading, err := systemd.Language{Version: n}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.X86_64})
	if err != nil {
		t.Fatal(err)
	}
	return stack{proof.Stack(subjects(t, reading.Policy)...)}
}

func (s stack) call(a arch.ABI, name string, args ...uint64) cbpf.Action {
	call, _ := syscalltables.Lookup(name)
	nr, _ := call.Number(a)
	d := cbpf.Data{Arch: a.Audit(), NR: nr}
	copy(d.Args[:], args)
	return s.Eval(&d)
}

// families returns a row of which families socket(2) takes.
func families(s stack, row []string) string {
	abi, _ := arch.Parse(row[2])
	passed := func(high uint64) (yes, no []string) {
		for v := range uint64(61) {
			if s.call(abi, "socket", high|v) == cbpf.Allow {
				yes = append(yes, strconv.FormatUint(v, 10))
			} else {
				no = append(no, strconv.FormatUint(v, 10))
			}
		}
		return yes, no
	}
	text := ""
	switch yes, no := passed(0); {
	case len(no) == 0:
		text = "all"
	case len(yes) == 0:
		text = "none"
	case len(yes) > len(no):
		text = "all but " + strings.Join(no, ",")
	default:
		text = strings.Join(yes, ",")
	}
	high := ""
	if abi == arch.X86_64 {
		switch yes, no := passed(1 << 32); {
		case len(no) == 0:
			high = "all"
		case len(yes) == 0:
			high = "none"
		default:
			high = fmt.Sprintf("%d of 61", len(yes))
		}
	}
	return strings.Join(append(row[:3:3], text, high), "\t")
}

// namespaces returns a row of which flags unshare, clone and setns refuse.
func namespaces(s stack, row []string) string {
	kinds := []struct {
		name string
		flag uint64
	}{
		{"time", 0x80}, {"mnt", 0x20000}, {"cgroup", 0x2000000}, {"uts", 0x4000000},
		{"ipc", 0x8000000}, {"user", 0x10000000}, {"pid", 0x20000000}, {"net", 0x40000000},
	}
	denied := func(name string, index int) string {
		var list []string
		for _, k := range kinds {
			args := make([]uint64, 2)
			args[index] = k.flag
			if s.call(arch.X86_64, name, args...) != cbpf.Allow {
				list = append(list, k.name)
			}
		}
		return strings.Join(list, ",")
	}
	short := func(a cbpf.Action) string {
		if a == cbpf.Allow {
			return "ok"
		}
		return fmt.Sprintf("E%d", a.Data())
	}
	out := append(row[:2:2], denied("unshare", 0))
	for _, text := range []string{denied("clone", 0), denied("setns", 1)} {
		if text == out[2] {
			text = "same"
		}
		out = append(out, text)
	}
	for _, a := range []cbpf.Action{
		s.call(arch.X86_64, "setns"), s.call(arch.X86_64, "clone3"), s.call(arch.X86_64, "setns", 0, 1<<32),
	} {
		out = append(out, short(a))
	}
	return strings.Join(out, "\t")
}
