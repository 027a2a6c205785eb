package convert_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/convert"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/beats"
	"github.com/seccompile/seccompile/language/firecracker"
	"github.com/seccompile/seccompile/language/kafel"
	"github.com/seccompile/seccompile/language/lxc"
	"github.com/seccompile/seccompile/language/minijail"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/language/snap"
	"github.com/seccompile/seccompile/language/spo"
	"github.com/seccompile/seccompile/language/systemd"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A target is a language to convert to, and policies that it may have words for.
type target struct {
	name string
	to   convert.Language
	// shape makes a random policy more like those that the language can say.
	shape func(*policy.Policy)
}

func targets() []target {
	defaults := func(a cbpf.Action) func(*policy.Policy) {
		return func(p *policy.Policy) { p.Default, p.DefaultErrno, p.NoBound = a, nil, true }
	}
	names := func(a cbpf.Action) func(*policy.Policy) {
		return func(p *policy.Policy) {
			p.Default, p.DefaultErrno, p.NoBound = a, nil, true
			for i := range p.Rules {
				p.Rules[i].Args, p.Rules[i].Errno = nil, nil
				if c := p.Rules[i].Action; c.Class() != cbpf.Log {
					p.Rules[i].Action = []cbpf.Action{cbpf.ErrnoClass, cbpf.Allow, cbpf.KillProcess}[i%3]
				}
			}
		}
	}
	// words have actions that old languages have.
	words := func(a cbpf.Action) func(*policy.Policy) {
		return func(p *policy.Policy) {
			defaults(a)(p)
			for i := range p.Rules {
				p.Rules[i].Action, p.Rules[i].Errno = []cbpf.Action{cbpf.ErrnoClass, cbpf.Allow, cbpf.Trap}[i%3], nil
			}
		}
	}
	return []target{
		{"oci", convert.Profile{Language: oci.Language{Format: oci.OCI}}, func(*policy.Policy) {}},
		{"docker", convert.Profile{Language: oci.Language{Format: oci.Docker}}, defaults(cbpf.Allow)},
		{"podman", convert.Profile{Language: oci.Language{Format: oci.Podman}}, func(*policy.Policy) {}},
		{"minijail-python", minijail.Language{Dialect: minijail.Python}, defaults(cbpf.KillThread)},
		{"minijail-python denylist", minijail.Language{Dialect: minijail.Python, Denylist: true}, defaults(cbpf.Allow)},
		{"minijail-python allow", minijail.Language{Dialect: minijail.Python, DefaultAction: "allow"}, defaults(cbpf.Allow)},
		{"minijail-python EPERM", minijail.Language{Dialect: minijail.Python, DefaultAction: "return EPERM"}, defaults(cbpf.ErrnoClass)},
		{"minijail-c", minijail.Language{Dialect: minijail.C}, func(p *policy.Policy) {
			defaults(cbpf.KillThread)(p)
			for i := range p.Rules {
				p.Rules[i].Action = []cbpf.Action{cbpf.ErrnoClass, cbpf.Allow, cbpf.Allow}[i%3]
			}
		}},
		{"systemd@252", systemd.Language{Version: 252}, names(cbpf.KillProcess)},
		{"systemd@252 deny", systemd.Language{Version: 252}, names(cbpf.Allow)},
		{"systemd@257", systemd.Language{Version: 257}, func(p *policy.Policy) { // which always allows write
			names(cbpf.ErrnoClass)(p)
			for i := range p.Rules {
				p.Rules[i].Names = slices.DeleteFunc(p.Rules[i].Names, func(s string) bool { return s == "write" })
			}
			p.Rules = append(p.Rules, policy.Rule{Names: []string{"write"}, Action: cbpf.Allow, Pointer: "/syscalls/99"})
		}},
		{"kafel", kafel.Language{}, func(*policy.Policy) {}},
		{"lxc@5", lxc.Language{Version: 5}, words(cbpf.KillThread)},
		{"lxc@7 deny", lxc.Language{}, words(cbpf.Allow)},
		{"snap", snap.Language{}, func(p *policy.Policy) {
			p.Default, p.DefaultErrno, p.NoBound = cbpf.ErrnoClass, nil, true
			for i := range p.Rules {
				eacces := uint(13)
				p.Rules[i].Action, p.Rules[i].Errno = cbpf.Allow, nil
				if i%3 == 0 {
					p.Rules[i].Action, p.Rules[i].Errno = cbpf.ErrnoClass, &eacces
				}
			}
		}},
		{"firecracker", firecracker.Language{}, func(p *policy.Policy) {
			defaults(cbpf.ErrnoClass)(p)
			for i := range p.Rules {
				p.Rules[i].Action, p.Rules[i].Errno = []cbpf.Action{cbpf.Allow, cbpf.ErrnoClass}[i%2], nil
			}
		}},
		{"spo", spo.Language{}, func(p *policy.Policy) { p.DefaultErrno = nil }},
		{"beats", beats.Language{}, func(p *policy.Policy) {
			words(cbpf.KillThread)(p)
			for i := range p.Rules { // others go wrong behind one with conditions
				if i < len(p.Rules)-1 {
					p.Rules[i].Args = nil
				} else {
					p.Rules[i].Names = p.Rules[i].Names[:min(1, len(p.Rules[i].Names))]
				}
			}
		}},
		{"beats as written", beats.Language{AsWritten: true}, words(cbpf.ErrnoClass)},
		{"systemd@262", systemd.Language{Version: 262}, names(cbpf.Allow)},
	}
}

// Random policies are converted and mean the same on all calls near their constants, or
// they are refused with the place of a rule, or because of what the policy says in general.
func TestRandom(t *testing.T) {
	for _, x := range targets() {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			converted, undecided := 0, 0
			n := gen.Many(60, 1000)
			for seed := range uint64(n) {
				switch done, refusal := checkRandom(t, &x, seed); {
				case done:
					converted++
				case refusal != nil && strings.Contains(refusal.Error(), tooLarge):
					undecided++
				}
			}
			t.Logf("%d of %d converted", converted, n)
			if converted < n/20 {
				t.Errorf("only %d of %d converted", converted, n)
			}
			if undecided > n/100 {
				t.Errorf("%d of %d are too large for the proof", undecided, n)
			}
		})
	}
}

// tooLarge is in the refusal of a result that takes the proof more steps than it has.
const tooLarge = "the result is not proved equal: more than "

func checkRandom(t *testing.T, x *target, seed uint64) (converted bool, refusal error) {
	t.Helper()
	r := gen.New(seed)
	abis := [][]arch.ABI{{arch.X86_64}, {arch.AArch64}, {arch.X86_64, arch.X86, arch.X32}, {arch.S390X}}[r.IntN(4)]
	if strings.HasPrefix(x.name, "minijail") || x.name == "firecracker" || strings.HasPrefix(x.name, "beats") || r.IntN(2) == 0 {
		abis = abis[:1]
	}
	p := gen.Policy(r, gen.Options{ABIs: abis, Entries: 1 + r.IntN(6), FirstMatch: r.IntN(3) == 0, Beyond: r.IntN(8) == 0, Dense: r.IntN(4) == 0, Family: gen.Family(r.IntN(3))})
	x.shape(p)
	vary(r, p)
	resolved, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
	if err != nil {
		return false, nil // a policy that means nothing
	}
	q := &convert.Request{Policy: p, Resolved: resolved, To: x.to, Name: x.name, Comment: "Random.", ButFor: convert.Exceptions()}
	if r.IntN(4) == 0 {
		q.ButFor = nil
	}
	result, err := convert.Convert(q)
	if err != nil {
		if !strings.Contains(err.Error(), tooLarge) {
			checkRefusal(t, seed, p, err)
		}
		return false, err
	}
	to := x.to
	if _, ok := to.(kafel.Language); ok {
		to = kafel.Language{Targets: abis}
	}
	reading, err := to.Read(language.NewSource(result.Text), policy.Target{ABI: abis[0]})
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, result.Text)
	}
	if own := reading.Policy.ABIs; own != nil {
		abis = own
	}
	got, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: abis})
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, result.Text)
	}
	for d := range gen.Points(r, resolved, nil, 2) {
		if want, have := resolved.Eval(d), got.Eval(d); want != have && !spared(q, d, want, have) {
			t.Fatalf("seed %d: %+v: %v becomes %v\n%v\n%s", seed, d, want, have, resolved, result.Text)
		}
	}
	return true, nil
}

// vary makes some policies say what only languages other than OCI's can.
func vary(r *rand.Rand, p *policy.Policy) {
	action := func() cbpf.Action {
		return []cbpf.Action{cbpf.Allow, cbpf.Errno(1), cbpf.Errno(38), cbpf.KillProcess}[r.IntN(4)]
	}
	if r.IntN(8) == 0 {
		p.Elsewhere = action()
	}
	if r.IntN(8) == 0 {
		x32 := action()
		p.X32 = &x32
	}
	for i := range p.Rules {
		args := p.Rules[i].Args
		for j := range args {
			args[j].Low = r.IntN(6) == 0
		}
		if len(args) > 0 && r.IntN(6) == 0 {
			args = append(args, policy.Arg{Index: args[0].Index, Op: policy.Op(1 + r.IntN(8)), Value: args[0].Value ^ 1, ValueTwo: 1})
		}
		p.Rules[i].Args = args
	}
}

// spared reports whether a call may be treated in another way.
func spared(q *convert.Request, d *cbpf.Data, want, have cbpf.Action) bool {
	if len(q.ButFor) == 0 || q.Resolved.Clauses(d.Arch, d.NR) != nil {
		return false
	}
	abi, ok := arch.ByAudit(d.Arch, d.NR)
	_, named := syscalltables.ByNumber(abi, d.NR)
	return !ok || !slices.Contains(q.Resolved.ABIs(), abi) || !named || int32(d.NR) < 0 ||
		!want.Permits(cbpf.WithSupervisor) && !have.Permits(cbpf.WithSupervisor)
}

func checkRefusal(t *testing.T, seed uint64, p *policy.Policy, err error) {
	t.Helper()
	var errs policy.Errors
	if !errors.As(err, &errs) || len(errs) == 0 {
		t.Fatalf("seed %d: %v: not errors with places", seed, err)
	}
	for _, e := range errs {
		rule, _, _ := strings.Cut(strings.TrimPrefix(e.Pointer, "/syscalls/"), "/")
		known := e.Pointer == "" || slices.ContainsFunc(p.Rules, func(r policy.Rule) bool { return r.Pointer == "/syscalls/"+rule })
		if !known || e.Reason == "" || strings.Contains(e.Reason, "not proved") {
			t.Fatalf("seed %d: %q %q", seed, e.Pointer, e.Reason)
		}
	}
}

// A writer that says something else is found, with the rule and a call.
func TestProofFindsWrongText(t *testing.T) {
	p := &policy.Policy{Default: cbpf.KillThread, Order: policy.FirstMatch, Rules: []policy.Rule{
		{Names: []string{"read"}, Action: cbpf.Allow, Pointer: "1:1"},
		{Names: []string{"clone"}, Action: cbpf.Allow, Pointer: "2:1", Args: []policy.Arg{{Index: 0, Op: policy.Equal, Value: 17}}},
	}}
	resolved, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		t.Fatal(err)
	}
	wrong := func(text string) convert.Language {
		return lying{minijail.Language{Dialect: minijail.Python}, text}
	}
	tests := []struct{ text, want string }{
		{"read: allow\nclone: arg0 == 17\n", ""},
		{"read: allow\nclone: allow\n", "policy: clone: it gets KILL_THREAD, and ALLOW in x, if a0 != 0x11"},
		{"read: allow\nclone: arg0 == 18\n", "policy: clone: it gets KILL_THREAD, and ALLOW in x, if a0 == 0x12\npolicy: 2:1: clone: it gets ALLOW, and KILL_THREAD in x, if a0 == 0x11"},
		{"clone: arg0 == 17\n", "policy: 1:1: read: it gets ALLOW, and KILL_THREAD in x"},
		{"read: allow\nclone: arg0 == 17\nwrite: return EPERM\n", "policy: calls that no rule names, as write: they get KILL_THREAD, and ERRNO(1) in x (--but-for unnamed-calls lets these differ where both deny them)"},
		{"read: allow\nclone: arg0 == 17\nwrite: arg0 == 1\n", "policy: write: it gets KILL_THREAD, and ALLOW in x, if a0 == 0x1"},
		{"read: allow\nclone: arg0 = 17\n", "x refuses the policy: "},
	}
	for _, tt := range tests {
		result, err := convert.Convert(&convert.Request{Policy: p, Resolved: resolved, To: wrong(tt.text), Name: "x"})
		if got := fmt.Sprint(err); tt.want == "" && err != nil || tt.want != "" && !strings.Contains(got, tt.want) || (err == nil) != (result != nil) {
			t.Errorf("%q: got %v, want %s", tt.text, err, tt.want)
		}
	}
}

// A lying language always writes the same text.
type lying struct {
	language.Language
	text string
}

func (l lying) Write(*policy.Policy, *policy.Resolved) ([]byte, error) { return []byte(l.text), nil }
