package symbols

import (
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// A row is a line of constants.tsv.
type row struct {
	set, name, of, usual string
	elsewhere            map[string]string // by column
}

// readRows reads constants.tsv without the generator's help.
func readRows(t *testing.T) []row {
	var rows []row
	for _, f := range readTSV(t, "constants.tsv", 5) {
		r := row{f[0], f[1], f[2], f[3], map[string]string{}}
		for _, group := range strings.Fields(f[4]) {
			names, value, _ := strings.Cut(group, "=")
			for _, name := range strings.Split(names, ",") {
				r.elsewhere[name] = value
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// readTSV returns the fields of the lines below the head.
func readTSV(t *testing.T, path string, fields int) [][]string {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != fields {
			t.Fatalf("%s: %q: %d fields, want %d", path, line, len(f), fields)
		}
		out = append(out, f)
	}
	return out[1:]
}

// column returns the column of an ABI: that of its other byte order for some.
func column(a arch.ABI) string {
	switch a {
	case arch.MIPSEL, arch.MIPSEL64, arch.MIPSEL64N32:
		return strings.Replace(a.String(), "el", "", 1)
	case arch.PPC64LE:
		return "ppc64"
	case arch.SHEB:
		return "sh"
	}
	return a.String()
}

// TestTheTablesSayWhatTheFilesSay compares every constant of every argument on every
// ABI with the files.
func TestTheTablesSayWhatTheFilesSay(t *testing.T) {
	rows := readRows(t)
	sets := map[string][]row{}
	for _, r := range rows {
		sets[r.set] = append(sets[r.set], r)
	}
	used := map[string]bool{}
	for _, line := range readTSV(t, "arguments.tsv", 3) {
		for _, word := range strings.Fields(line[2]) {
			uses := 0
			for _, x := range argsNamed(t, word) {
				uses++
				if got := kindWord(x.Kind()); got != line[0] {
					t.Errorf("%v: %s is %s, arguments.tsv has %s", x.abi, word, got, line[0])
				}
				if d := cmp.Diff(wantConstants(sets[line[1]], x.abi), x.Constants()); d != "" {
					t.Errorf("%v: %s (-constants.tsv +tables):\n%s", x.abi, word, d)
				}
			}
			if uses == 0 {
				t.Errorf("arguments.tsv: %s is an argument of no call", word)
			}
		}
		used[line[1]] = true
	}
	for set := range sets {
		if !used[set] {
			t.Errorf("constants.tsv: %s is the set of no argument", set)
		}
	}
}

// argsNamed returns the arguments that a word of arguments.tsv is about, on every ABI.
func argsNamed(t *testing.T, word string) []Arg {
	word, condition, special := strings.Cut(strings.TrimSuffix(word, ")"), "(")
	call, arg, _ := strings.Cut(word, ".")
	other, constant, _ := strings.Cut(condition, "=")
	var list []Arg
	for a := range arch.All() {
		for _, c := range syscalltables.All(a) {
			i := slices.Index(c.Args(a), arg)
			if i < 0 || call != "*" && call != c.Name() {
				continue
			}
			if call == "*" {
				if _, own := find(c.Name(), arg); own {
					continue
				}
			}
			x := At(a, c, i)
			if special {
				j := slices.Index(c.Args(a), other)
				v, err := At(a, c, j).Parse(constant)
				if err != nil {
					t.Errorf("%v: %s: %v", a, word, err)
				}
				x = x.Given(j, v)
			}
			list = append(list, x)
		}
	}
	return list
}

func kindWord(k Kind) string {
	return [...]string{"unknown", "number", "pointer", "string", "fd", "mode", "enum", "flags"}[k]
}

// number returns the constant's value on an ABI.
func (r *row) number(a arch.ABI) (uint64, bool) {
	text := r.usual
	if v, ok := r.elsewhere[column(a)]; ok {
		text = v
	}
	n, err := strconv.ParseInt(text, 0, 64)
	if n < 0 && (a.Bits() == 32 || a == arch.X86_64 || a == arch.AArch64) {
		return uint64(uint32(n)), err == nil
	}
	return uint64(n), err == nil
}

// wantConstants returns what Constants must give for a set.
func wantConstants(rows []row, a arch.ABI) []Constant {
	var list []Constant
	for i := range rows {
		r := &rows[i]
		v, ok := r.number(a)
		if !ok || r.of == "mask" {
			continue
		}
		mask := v
		switch r.of {
		case "value":
			mask = ^uint64(0)
		case "flag":
		default:
			j := slices.IndexFunc(rows, func(m row) bool { return m.name == r.of })
			mask, _ = rows[j].number(a)
		}
		list = append(list, Constant{r.name, v, mask})
	}
	return list
}

// TestEveryArgumentHasAKind but those that are what another argument makes of them.
func TestEveryArgumentHasAKind(t *testing.T) {
	unknown := map[string]bool{}
	for x := range everyArg() {
		if x.Kind() == Unknown {
			unknown[x.call.Name()+"."+x.Name()] = true
		}
	}
	want := []string{
		"fcntl.arg", "fcntl64.arg", "ioctl.arg", "keyctl.arg2", "keyctl.arg3", "keyctl.arg4", "keyctl.arg5",
		"prctl.arg2", "prctl.arg3", "prctl.arg4", "prctl.arg5", "semctl.arg", "sysfs.arg1", "sysfs.arg2",
	}
	if d := cmp.Diff(want, slices.Sorted(maps.Keys(unknown))); d != "" {
		t.Errorf("arguments without a row in arguments.tsv (-want +got):\n%s", d)
	}
}

// everyArg yields each argument of each call on each ABI, also as it is when another
// has a value that matters.
func everyArg() iter.Seq[Arg] {
	return func(yield func(Arg) bool) {
		for a := range arch.All() {
			for _, c := range syscalltables.All(a) {
				for i := range c.Args(a) {
					x := At(a, c, i)
					if !yield(x) {
						return
					}
					for j := range c.Args(a) {
						for _, k := range At(a, c, j).Constants() {
							if y := x.Given(j, k.Value); y != x && !yield(y) {
								return
							}
						}
					}
				}
			}
		}
	}
}
