package languages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/minijail"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// An outcome is what the corpus says about one policy and one tool.
type outcome struct {
	Status       string
	Error        string
	BPF          string
	Instructions int
	KernelCheck  string `json:"kernel_check"`
}

// verdict returns what a tool made of a policy.
func (o outcome) verdict(t *testing.T, dir string) verdict {
	t.Helper()
	switch {
	case o.Status != "ok":
		return verdict{reason: o.Error}
	case o.KernelCheck != "ok":
		return verdict{reason: "the kernel refuses it: " + o.KernelCheck}
	}
	v := verdict{length: o.Instructions}
	file := filepath.Join(dir, o.BPF)
	if _, err := os.Stat(file); err == nil {
		v.program = decode(t, file)
	}
	return v
}

// A job is a policy of crosvm's, or one that was compiled for another ABI, with its tool's
// switches.
type job struct {
	Job struct {
		Policy, Dir string
		Flags       []string
	}
	outcome
}

// python returns the reader with switches of the Python dialect's tool.
func python(t *testing.T, flags []string) minijail.Language {
	l := minijail.Language{Dialect: minijail.Python}
	for i := 0; i < len(flags); i++ {
		switch flags[i] {
		case "--default-action":
			i++
			l.DefaultAction = flags[i]
		case "--use-kill-process":
			l.UseKillProcess = true
		case "--use-ret-log":
			l.UseRetLog = true
		case "--denylist":
			l.Denylist = true
		case "--optimization-strategy": // of no meaning
			i++
		default:
			t.Fatalf("unknown switch %s", flags[i])
		}
	}
	return l
}

// Each policy that minijail's own tools compile means the same here, and those that they
// refuse are refused.
func TestMinijail(t *testing.T) {
	dir := corpus(t, "minijail")
	var rows []row
	rows = append(rows, crosvm(t, dir)...)
	rows = append(rows, platform2(t, dir)...)
	rows = append(rows, dialects(t, dir)...)
	table(t, rows)
}

// crosvm judges its policies, which have includes and frequencies, on three ABIs.
func crosvm(t *testing.T, dir string) (rows []row) {
	var jobs []job
	load(t, filepath.Join(dir, "crosvm/results.json"), &jobs)
	index := make(map[string]int)
	for _, j := range jobs {
		l := python(t, j.Job.Flags)
		a, err := arch.Parse(filepath.Base(j.Job.Dir))
		if err != nil {
			t.Fatal(err)
		}
		set := filepath.Base(filepath.Dir(j.BPF))
		if _, ok := index[set]; !ok {
			index[set] = len(rows)
			rows = append(rows, row{set: "crosvm/" + set})
		}
		root := filepath.Join(dir, j.Job.Dir)
		again := func(b built) { readSecond(t, dir, l, root, j.Job.Policy, a).agree(set, j.Job.Policy, b) }
		rows[index[set]].judge(t, l, root, j.Job.Policy, a, j.verdict(t, dir), again)
	}
	return rows
}

func platform2(t *testing.T, dir string) []row {
	var files []struct {
		Policy  string
		Python  outcome
		CStrict outcome `json:"c_strict"`
		CDup    outcome `json:"c_dup"`
	}
	load(t, filepath.Join(dir, "platform2/results.json"), &files)
	root := filepath.Join(dir, "platform2/policies")
	rows := []row{{set: "platform2/python"}, {set: "platform2/c.strict"}, {set: "platform2/c.dup"}, {set: "platform2/python.arm64"}}
	judge := func(r *row, l minijail.Language, file string, a arch.ABI, o outcome) {
		r.judge(t, l, root, file, a, o.verdict(t, dir), func(b built) { readSecond(t, dir, l, root, file, a).agree(r.set, file, b) })
	}
	for _, f := range files {
		judge(&rows[0], minijail.Language{Dialect: minijail.Python}, f.Policy, arch.X86_64, f.Python)
		judge(&rows[1], minijail.Language{Dialect: minijail.C}, f.Policy, arch.X86_64, f.CStrict)
		judge(&rows[2], minijail.Language{Dialect: minijail.C, AllowDuplicates: true}, f.Policy, arch.X86_64, f.CDup)
	}
	var jobs []job
	load(t, filepath.Join(dir, "platform2/results.arm64.json"), &jobs)
	for _, j := range jobs {
		judge(&rows[3], python(t, j.Job.Flags), j.Job.Policy, arch.AArch64, j.outcome)
	}
	return rows
}

// dialects judges small policies for each corner of the language.
func dialects(t *testing.T, dir string) []row {
	var files []struct {
		Policy   string
		Text     string
		Python   outcome
		Trap     outcome `json:"python.trap"`
		Denylist outcome `json:"python.denylist"`
		Log      outcome `json:"python.log"`
		CStrict  outcome `json:"c_strict"`
		CDup     outcome `json:"c_dup"`
	}
	load(t, filepath.Join(dir, "dialects/results.json"), &files)
	languages := []minijail.Language{
		{Dialect: minijail.Python},
		{Dialect: minijail.Python, DefaultAction: "trap"},
		{Dialect: minijail.Python, Denylist: true},
		{Dialect: minijail.Python, UseRetLog: true},
		{Dialect: minijail.C},
		{Dialect: minijail.C, AllowDuplicates: true},
	}
	rows := []row{{set: "dialects/python"}, {set: "dialects/python.trap"}, {set: "dialects/python.denylist"}, {set: "dialects/python.log"}, {set: "dialects/c.strict"}, {set: "dialects/c.dup"}}
	for _, f := range files {
		for i, o := range []outcome{f.Python, f.Trap, f.Denylist, f.Log, f.CStrict, f.CDup} {
			l, root := languages[i], filepath.Join(dir, "dialects/policies")
			var again func(built)
			if !strings.ContainsAny(f.Text, "{[") && f.Policy != "no-space.policy" { // which it does not know
				again = func(b built) { readSecond(t, dir, l, root, f.Policy, arch.X86_64).agree(rows[i].set, f.Policy, b) }
			}
			rows[i].judge(t, l, root, f.Policy, arch.X86_64, o.verdict(t, dir), again)
		}
	}
	return rows
}

// Over all of crosvm's policies the filters are short, with the frequencies that they name
// and without.
func TestMinijailCrosvmIsShort(t *testing.T) {
	dir := corpus(t, "minijail")
	// minijail's own are 14,017. Frequencies make frequent calls quick, and the rest longer.
	for weighted, most := range map[bool]int{false: 8550, true: 8630} {
		files, sum := 0, 0
		for _, a := range []arch.ABI{arch.X86_64, arch.AArch64, arch.RISCV64} {
			root := filepath.Join(dir, "crosvm", a.String())
			policies, err := filepath.Glob(root + "/*.policy")
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range policies {
				l := minijail.Language{Dialect: minijail.Python, DefaultAction: "trap"} // crosvm's own switches
				b, err := build(t, l, root, filepath.Base(file), a, weighted)
				if err != nil {
					t.Fatal(err)
				}
				files, sum = files+1, sum+b.program.Len()
			}
		}
		t.Logf("%d files, weights %v: %d instructions", files, weighted, sum)
		if files != 97 || sum > most {
			t.Errorf("%d files with %d instructions, want 97 with at most %d", files, sum, most)
		}
	}
}

// Names mean what they do in minijail's own tables.
func TestMinijailConstants(t *testing.T) {
	dir := corpus(t, "minijail")
	for _, a := range []arch.ABI{arch.X86_64, arch.AArch64, arch.RISCV64} {
		var table struct {
			Constants map[string]int64
			Syscalls  map[string]uint32
		}
		load(t, filepath.Join(dir, "crosvm", a.String(), "constants.json"), &table)
		checked := 0
		for name, want := range table.Constants {
			if strings.HasPrefix(name, "MINIJAIL_") { // of its build
				continue
			}
			text := "read: arg0 == " + name + "\n"
			reading, err := minijail.Language{Dialect: minijail.Python}.Read(language.NewSource([]byte(text)), policy.Target{ABI: a})
			if err != nil {
				t.Errorf("%v: %v", a, err)
				continue
			}
			if got := reading.Policy.Rules[0].Args[0].Value; got != uint64(want) {
				t.Errorf("%v: %s is %#x, want %#x", a, name, got, uint64(want))
			}
			checked++
		}
		for name, want := range table.Syscalls {
			call, _ := syscalltables.Lookup(name)
			if got, ok := call.Number(a); !ok || got != want {
				t.Errorf("%v: %s is call %d, %v, want %d", a, name, got, ok, want)
			}
		}
		t.Logf("%v: %d constants, %d calls", a, checked, len(table.Syscalls))
	}
}
