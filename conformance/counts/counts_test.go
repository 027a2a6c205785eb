package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/policy"
)

func TestJudge(t *testing.T) {
	compile := key{"docker", "compile"}
	for _, tt := range []struct {
		name      string
		got, want int64 // 0 for none
		err       string
	}{
		{"the same", 1_000_000, 1_000_000, ""},
		{"3 % more", 1_030_000, 1_000_000, ""},
		{"3 % less", 970_000, 1_000_000, ""},
		{"slower", 1_030_001, 1_000_000, "docker: compile: 1030001 instructions, +3.0 %; committed are 1000000"},
		{"faster", 969_999, 1_000_000, "docker: compile: 969999 instructions, -3.0 %; committed are 1000000"},
		{"twice as slow", 2_000_000, 1_000_000, "+100.0 %"},
		{"small and within the floor", 3000, 2000, ""},
		{"small and above", 3001, 2000, "+50.0 %"},
		{"small and below", 999, 2000, "-50.0 %"},
		{"new", 5, 0, "docker: compile: 5 instructions, which are not committed"},
		{"gone", 0, 5, "docker: compile: committed, and not counted"},
	} {
		got, want := &table{counts: map[key]count{}}, &table{counts: map[key]count{}}
		if tt.got != 0 {
			got.counts[compile] = count{instructions: tt.got}
		}
		if tt.want != 0 {
			want.counts[compile] = count{instructions: tt.want}
		}
		// Neither libseccomp's numbers nor those of inputs that were not chosen count.
		got.counts[key{"docker", "tree"}] = count{instructions: 1}
		want.counts[key{"docker", "tree"}] = count{instructions: 1_000_000}
		want.counts[key{"podman", "compile"}] = count{instructions: 1_000_000}
		err := judge([]input{{name: "docker"}}, got, want)
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.err)
		}
	}
}

func TestParseReport(t *testing.T) {
	got, err := parseReport([]byte("first 1 271\nread 10\n"))
	want := []measurement{{work: "first", times: 1, allocations: 271}, {work: "read", times: 10}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, text := range []string{"\n", "read\n", "read x\n", "read 0\n", "read 10 x\n"} {
		if got, err := parseReport([]byte(text)); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestParseDump(t *testing.T) {
	const dump = "# callgrind format\npart: 4\nthread: 1\n\n\ndesc: Trigger: Client Request\n\nevents: Ir\nsummary: 908\n\nfn=(1)\n0 908\n\ntotals: 908\n"
	if got, err := parseDump([]byte(dump)); got != 908 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	for old, new := range map[string]string{
		"thread: 1": "thread: 2", "Client Request": "Program termination", "events: Ir": "events: Ir Dr", "totals: 908": "", "totals: ": "totals: x",
	} {
		if got, err := parseDump([]byte(strings.Replace(dump, old, new, 1))); err == nil {
			t.Errorf("%q for %q: got %d", new, old, got)
		}
	}
}

func TestTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "counts.txt")
	want := &table{tools: versions{"go1.26.8", "valgrind-3.19.0", "no AVX2", "2.5.4"}, counts: map[key]count{
		{"docker", "read"}: {1_218_000, 1481}, {"docker", "tree"}: {5_940_600, 0}, {"podman", "proof"}: {436_400, 9},
	}}
	if err := want.write(file, []input{{name: "docker"}, {name: "podman"}}); err != nil {
		t.Fatal(err)
	}
	got, err := readTable(file)
	if err != nil || got.tools != want.tools || !maps.Equal(got.counts, want.counts) {
		t.Errorf("read %v, %v", got, err)
	}
	for _, line := range []string{"docker read 5", "docker read x 5", "docker", "compiler: gcc"} {
		if err := os.WriteFile(file, []byte("# a comment\n"+line+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := readTable(file); err == nil || !strings.Contains(err.Error(), "counts.txt:2: ") {
			t.Errorf("%q: error %v", line, err)
		}
	}
}

func TestComparable(t *testing.T) {
	v := versions{"go1.26.8", "valgrind-3.19.0", "AVX2", "2.5.4"}
	for _, tt := range []struct {
		other versions
		want  bool
	}{
		{v, true},
		{versions{"go1.26.8", "valgrind-3.19.0", "AVX2", "2.6.1"}, true},
		{versions{"go1.26.9", "valgrind-3.19.0", "AVX2", "2.5.4"}, false},
		{versions{"go1.26.8", "valgrind-3.24.0", "AVX2", "2.5.4"}, false},
		{versions{"go1.26.8", "valgrind-3.19.0", "no AVX2", "2.5.4"}, false},
	} {
		if got := v.comparable(&tt.other); got != tt.want {
			t.Errorf("%v: %v", &tt.other, got)
		}
	}
}

func TestRules(t *testing.T) {
	in := input{abis: []arch.ABI{arch.X86_64, arch.X32}, profile: []byte(`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [
		{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
		{"names": ["ioctl"], "action": "SCMP_ACT_ERRNO", "args": [
			{"index": 0, "value": 7, "op": "SCMP_CMP_NE"}, {"index": 1, "value": 255, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]},
		{"names": ["prctl"], "action": "SCMP_ACT_TRACE", "errnoRet": 5, "args": [
			{"index": 2, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 2, "op": "SCMP_CMP_GE"}]}]}`)}
	const want = `default 0x50026
arch 0xc000003e
arch 0x4000003e
rule 0x7fff0000 read
rule 0x7fff0000 write
rule 0x50001 ioctl 0 1 7 0 1 7 255 1
rule 0x7ff00005 prctl 2 4 1 0
rule 0x7ff00005 prctl 2 5 2 0
`
	if got, err := in.rules(); string(got) != want || err != nil {
		t.Errorf("got %v\n%s", err, got)
	}
}

// Every input has a name of its own, committed numbers, and can be said to libseccomp
// unless it is alone.
func TestInputs(t *testing.T) {
	t.Chdir("..")
	all, err := inputs()
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := readTable(committed)
	if err != nil {
		t.Fatal(err)
	}
	left := maps.Clone(numbers.counts)
	for _, in := range all {
		for _, work := range append(slices.Clone(works), "list", "tree") {
			k := key{in.name, work}
			_, ok := left[k]
			delete(left, k)
			installed := work != "install" || in.abis[0].ByteOrder() == arch.X86_64.ByteOrder() && !strings.Contains(string(in.profile), "NOTIFY")
			if want := installed && !(in.alone && slices.Contains([]string{"list", "tree"}, work)); ok != want {
				t.Errorf("%v: committed: %v, want %v", k, ok, want)
			}
		}
	}
	for k := range left {
		t.Errorf("%v: committed, and not an input, or one of two", k)
	}
	for _, name := range []string{"rules-10000", "alternatives"} { // that they are what they say
		i := slices.IndexFunc(all, func(in input) bool { return in.name == name })
		lines, err := all[i].rules()
		if n := strings.Count(string(lines), "\nrule "); err != nil || n < 10_000 {
			t.Errorf("%s: %d rules, %v", name, n, err)
		}
	}
}

// The mean of ten times is that of one, whatever was counted before, and libseccomp's
// numbers are there, unless it lacks the ABI.
func TestCount(t *testing.T) {
	need.Program(t, "valgrind", "valgrind")
	t.Chdir("..")
	tools, err := build(t.TempDir(), "..")
	if err != nil {
		t.Fatal(err)
	}
	all, err := policies("counts/testdata/policies")
	if err != nil {
		t.Fatal(err)
	}
	in := all[slices.IndexFunc(all, func(in input) bool { return in.name == "libseccomp-43" })]
	ten, err := tools.count(&in, filepath.Join(tools.dir, "ten"))
	if err != nil || len(ten) != len(works)+2 {
		t.Fatalf("%v, %v", ten, err)
	}
	in.times = 3
	three, err := tools.count(&in, filepath.Join(tools.dir, "three"))
	if err != nil {
		t.Fatal(err)
	}
	for _, work := range works { // libseccomp's depend a little on what its heap has seen
		k := key{in.name, work}
		c := ten[k]
		if !within(three[k].instructions, c.instructions) || c.instructions < 1000 {
			t.Errorf("%v: ten times %d, three times %d each", k, c.instructions, three[k].instructions)
		}
	}
	foreign := input{name: "foreign", abis: []arch.ABI{arch.LoongArch64}, profile: []byte(`{"defaultAction": "SCMP_ACT_KILL", "syscalls": [
		{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`)}
	got, err := tools.count(&foreign, filepath.Join(tools.dir, "foreign"))
	if err != nil || len(got) != len(works) {
		t.Errorf("for an ABI that libseccomp lacks: %v, %v", got, err)
	}
	broken := input{name: "broken", abis: []arch.ABI{arch.X86_64}, profile: []byte(`{"defaultAction": "SCMP_ACT_WRONG"}`)}
	if _, err := tools.count(&broken, filepath.Join(tools.dir, "broken")); err == nil || !strings.Contains(err.Error(), "SCMP_ACT_WRONG") {
		t.Errorf("a profile that cannot be read: %v", err)
	}
}

func TestAlternatives(t *testing.T) {
	twice := []policy.Arg{{Index: 1, Value: 1}, {Index: 0, Value: 2}, {Index: 1, Value: 3}}
	if got := alternativesOf(twice); len(got) != 3 || got[1][0] != twice[1] {
		t.Errorf("an argument tested twice: %v", got)
	}
	if got := alternativesOf(twice[:2]); len(got) != 1 || len(got[0]) != 2 {
		t.Errorf("arguments tested once: %v", got)
	}
}
