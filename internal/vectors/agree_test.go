package vectors

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// The meaning of package policy, and the filter that is compiled from it, give every call of
// the table its verdict.
func TestPolicyAndFilterAgree(t *testing.T) {
	compiled := map[group]*filter{}
	failed := 0
	check := func(r *row, got string) {
		if got != r.verdict {
			if failed++; failed < 30 {
				t.Errorf("%v: %s", strings.TrimSpace(r.String()), got)
			}
		}
	}
	rows := readRows(t)
	for i := range rows {
		r := &rows[i]
		var words [2]cbpf.Action
		for i, name := range []string{r.profile, r.second} {
			if name == "" {
				continue
			}
			x := r.group()
			x.profile = name
			f, ok := compiled[x]
			if !ok {
				f = compile(t, x)
				compiled[x] = f
			}
			if f == nil || f.err != nil {
				if f != nil {
					check(r, "REFUSED")
				}
				break
			}
			d := &cbpf.Data{Arch: r.call.arch, NR: r.call.nr, Args: r.call.args}
			words[i] = f.meaning.Eval(d)
			if got := f.program.Eval(d); got != words[i] {
				t.Errorf("%v: the program returns %v, the policy means %v", strings.TrimSpace(r.String()), got, words[i])
			}
			want := r.verdict
			if r.second != "" {
				want = r.parts[i]
			}
			if got := words[i].String(); got != want {
				check(r, got)
			}
		}
	}
	t.Logf("%d rows agree, of %d filters", len(rows)-failed, len(compiled))
}

// A filter is what a group of rows is about.
type filter struct {
	policy  *policy.Policy
	meaning *policy.Resolved
	program *cbpf.Program
	err     error
}

// compile makes the filter of a group; nil if this machine is not the host of its rows.
func compile(t *testing.T, x group) *filter {
	t.Helper()
	text, err := os.ReadFile(dir + "profiles/" + x.profile + ".json")
	if err != nil {
		t.Fatal(err)
	}
	target := policy.Target{ABI: arch.X86_64}
	var o policy.Options
	if x.targets == "-" {
		if arch.Native() != arch.X86_64 {
			return nil
		}
	} else {
		for name := range strings.SplitSeq(x.targets, ",") {
			a, err := arch.Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			o.ABIs = append(o.ABIs, a)
		}
		target.ABI = o.ABIs[0]
		text = withArchitectures(t, text, o.ABIs)
	}
	if o.ENOSYS, o.BadArch, o.StrictestWins, err = options(&target, x.options); err != nil {
		t.Fatal(err)
	}
	lang := oci.Language{Runtime: x.reading}
	if x.reading == "strict" {
		lang.Runtime, o.Mode = oci.Runc, policy.Strict
	}
	reading, err := lang.Read(language.NewSource(text), target)
	if err != nil {
		return &filter{err: err}
	}
	meaning, _, err := policy.Resolve(reading.Policy, o)
	if err != nil {
		return &filter{err: err}
	}
	program, defects, err := compiler.Compile(meaning, compiler.Options{})
	if err != nil || len(defects) > 0 {
		t.Fatalf("%v: %v %v", x, err, defects)
	}
	return &filter{reading.Policy, meaning, program, nil}
}

// withArchitectures puts the targets into a profile.
func withArchitectures(t *testing.T, text []byte, abis []arch.ABI) []byte {
	t.Helper()
	var profile map[string]json.RawMessage
	if err := json.Unmarshal(text, &profile); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range abis {
		names = append(names, a.OCI())
	}
	profile["architectures"], _ = json.Marshal(names)
	text, err := json.Marshal(profile)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func options(target *policy.Target, column string) (e policy.ENOSYS, bad cbpf.Action, strictest bool, err error) {
	for _, o := range strings.Fields(column) {
		key, value, _ := strings.Cut(o, "=")
		switch key {
		case "-":
		case "enosys":
			e, err = policy.ParseENOSYS(value)
		case "bad-arch":
			bad, err = cbpf.ParseAction(value)
		case "strictest-wins":
			strictest = true
		case "cap":
			if value != "none" {
				target.Caps = strings.Split(value, ",")
			}
		case "kernel":
			target.Kernel, err = syscalltables.ParseVersion(value)
		default:
			err = fmt.Errorf("option %q", o)
		}
		if err != nil {
			break
		}
	}
	return e, bad, strictest, err
}

// The facts are those of packages arch and syscalltables.
func TestFactsAgree(t *testing.T) {
	f := readFacts(t)
	var names []string
	for a := range arch.All() {
		names = append(names, a.String())
		x := f.named(a.String())
		if x == nil {
			t.Fatalf("no row for %v", a)
		}
		sockets, _ := a.Socketcall()
		ipc, _ := a.IPC()
		enosys, _ := a.Errno("ENOSYS")
		got := abi{name: a.String(), arch: a.Audit(), bits: a.Bits(), base: a.Base(), socketcall: sockets, ipc: ipc, enosys: uint32(enosys)}
		if want := (abi{name: x.name, arch: x.arch, bits: x.bits, base: x.base, socketcall: x.socketcall, ipc: x.ipc, enosys: x.enosys}); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%+v, want %+v", want, got)
		}
		if big := a.ByteOrder().String() == "BigEndian"; big != x.big {
			t.Errorf("%v: big-endian %v", a, x.big)
		}
		n := 0
		for nr, call := range syscalltables.All(a) {
			if n++; x.numbers[call.Name()] != nr {
				t.Errorf("%v: %v is %d, want %d", a, call, x.numbers[call.Name()], nr)
			}
		}
		if n != len(x.numbers) {
			t.Errorf("%v: %d calls, want %d", a, len(x.numbers), n)
		}
	}
	for _, a := range f {
		if !slices.Contains(names, a.name) {
			t.Errorf("%s is no ABI of package arch", a.name)
		}
	}
}
