package report

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

func filterOf(t testing.TB, p Profile, abis ...arch.ABI) Profile {
	t.Helper()
	result, err := proved.Compile(p.Resolved, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return Profile{Name: p.Name + ".bpf", Filter: result.Program, ABIs: abis}
}

func assembled(t testing.TB, text string) Profile {
	t.Helper()
	p, err := cbpf.Assemble([]byte(text), policy.Names())
	if err != nil {
		t.Fatal(err)
	}
	return Profile{Name: "filter.s", Filter: p}
}

// The page about a filter says of each call what the page about its profile says.
func TestFilterIsItsProfile(t *testing.T) {
	for _, p := range []Profile{dockerDefault(t, x86...), read(t, "before", before, arch.X86_64), read(t, "s390x", after, arch.S390X)} {
		f := filterOf(t, p)
		whole, filter := mustSubject(t, p, proof.Limits{}), mustSubject(t, f, proof.Limits{})
		if listed(whole.abis) != listed(filter.abis) {
			t.Errorf("%s is for %s, its filter for %s", p.Name, listed(whole.abis), listed(filter.abis))
		}
		for _, abi := range whole.abis {
			for nr, call := range syscalltables.All(abi) {
				want, got := whole.verdict(abi, nr), filter.verdict(abi, nr)
				if want.chip != got.chip {
					t.Errorf("%s: %v %s: %v, of the filter %v", p.Name, abi, call.Name(), want.chip, got.chip)
				}
			}
		}
		a, b := mustBuild(t, Options{}, p).privileges(), mustBuild(t, Options{}, f).privileges()
		for i := range a {
			if a[i].Name != b[i].Name || a[i].Answers[0].Can != b[i].Answers[0].Can {
				t.Errorf("%s: %+v, of the filter %+v", p.Name, a[i], b[i])
			}
		}
		page, weaker, err := Compare(p, f, Options{})
		if err != nil || weaker || !strings.Contains(string(page), "Both profiles treat every call alike") {
			t.Errorf("%s and its filter differ (%v)", p.Name, err)
		}
	}
}

func TestFilterPage(t *testing.T) {
	f := assembled(t, `.order little
	ld arch
	jeq x86_64, jf bad
	ld nr
	jeq x86_64:mount, jt no
	jeq x86_64:socket, jf ok
	ld arg0.lo
	jeq #40, no, ok
no:	ret ERRNO(1)
ok:	ret ALLOW
bad:	ret KILL_PROCESS
`)
	page := string(review(t, f))
	for _, want := range []string{
		`<p class="kicker">Seccomp filter review</p>`,
		"This is a filter: what it does is known, and not what its author wrote. A call through any other ABI, such as x86, kills the process.",
		`<dt>Instructions</dt><dd>10</dd>`, `<dt>Byte order</dt><dd>little-endian</dd>`,
		"A filter has no text to review.",
		`<code>socket</code> <small>on x86_64</small></dt><dd><ul class="rules"><li><span class="chip errno">EPERM</span> <code>family &amp; 0xffffffff == AF_VSOCK</code>`,
		`<title>Decisions on calls of x86_64 and x32</title>`,
		`<tr><th scope="row">other ABIs</th><td>all</td><td><span class="chip kill">kill the process</span></td></tr>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	short, err := Review(f, Options{Format: Markdown})
	if err != nil || !strings.Contains(string(short), "### Seccomp filter `filter.s`\n") {
		t.Errorf("%v: %s", err, short)
	}
}

func TestFiltersThatAreRefused(t *testing.T) {
	blind := assembled(t, ".order little\nret ALLOW\n")
	for want, err := range map[string]error{
		"report: filter.s: the filter does not show its ABI": only(Review(blind, Options{})),
		"report: filter.s: s390x has another byte order":     only(Review(Profile{Name: "filter.s", Filter: blind.Filter, ABIs: []arch.ABI{arch.S390X}}, Options{})),
		"proof: ": only(Review(filterOf(t, dockerDefault(t, arch.X86_64)), Options{Limits: proof.Limits{Nodes: 10}})),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	page, err := Review(Profile{Name: "filter.s", Filter: blind.Filter, ABIs: []arch.ABI{arch.X86_64}}, Options{})
	if err != nil || !strings.Contains(string(page), "It does not look at the ABI of a call.") {
		t.Errorf("%v: %.2000s", err, page)
	}
}

func only(_ []byte, err error) error { return err }
