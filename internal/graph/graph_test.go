package graph_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/golden"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

func compiled(t *testing.T, p *policy.Policy, o policy.Options) (*policy.Resolved, *compile.Result) {
	t.Helper()
	r, _, err := policy.Resolve(p, o)
	if err != nil {
		t.Fatal(err)
	}
	res, err := proved.Compile(r, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r, &res.Result
}

// stages draws both stages.
func stages(t *testing.T, res *compile.Result, o graph.Options) map[string]*graph.Graph {
	t.Helper()
	d, err := graph.Diagram(res.Diagram, o)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := graph.Tree(res.Tree, o)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*graph.Graph{"diagram": d, "tree": tree}
}

// small is a policy with a bit of everything.
func small() *policy.Policy {
	return &policy.Policy{Default: cbpf.ErrnoClass, Rules: []policy.Rule{
		{Names: []string{"read", "write", "open", "close", "stat", "fstat", "exit", "exit_group"}, Action: cbpf.Allow, Pointer: "/syscalls/0"},
		{Names: []string{"socket"}, Action: cbpf.Allow, Pointer: "/syscalls/1", Args: []policy.Arg{
			{Index: 0, Op: policy.Equal, Value: 1}, {Index: 1, Op: policy.MaskedEqual, Value: 0xf, ValueTwo: 5},
		}},
		{Names: []string{"personality"}, Action: cbpf.Log, Pointer: "/syscalls/2", Args: []policy.Arg{{Index: 0, Op: policy.GreaterEqual, Value: 8}}},
		{Names: []string{"ptrace"}, Action: cbpf.Notify, Pointer: "/syscalls/3"},
		{Names: []string{"reboot"}, Action: cbpf.KillProcess, Pointer: "/syscalls/4"},
	}}
}

func TestGoldens(t *testing.T) {
	abis := []arch.ABI{arch.X86_64, arch.X86}
	_, res := compiled(t, small(), policy.Options{ABIs: abis, ENOSYS: policy.ENOSYS{Off: true}})
	files := map[string]string{}
	for _, call := range []string{"", "socket"} {
		for stage, g := range stages(t, res, graph.Options{ABIs: abis, Syscall: call, Title: "small & <\"quick\">"}) {
			name := strings.TrimSuffix(stage+"-"+call, "-")
			files[name+".txt"] = g.Text()
			files[name+".svg"] = g.SVG()
			files[name+".dot"] = g.DOT()
			files[name+".mmd"] = g.Mermaid()
		}
	}
	for name, got := range files {
		path := filepath.Join("testdata", name)
		golden.Check(t, *update, path, got)
	}
	there, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if _, ok := files[f.Name()]; !ok {
			t.Errorf("testdata/%s belongs to no test", f.Name())
		}
	}
}

func TestDockerDefaultIsReadable(t *testing.T) {
	p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	abis := []arch.ABI{arch.X86_64}
	_, res := compiled(t, p, policy.Options{ABIs: abis})
	text := stages(t, res, graph.Options{ABIs: abis})["diagram"].Text()
	if n := strings.Count(text, "\n"); n > 100 {
		t.Errorf("%d lines\n%s", n, text)
	}
	for _, want := range []string{"read…sendfile (41)", "arg0.lo; socket family", "clone flags"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// A slice ends at the call's verdict, on every ABI, and where no argument matters
// at no other.
func TestSliceEndsAtTheVerdict(t *testing.T) {
	for seed := range uint64(60) {
		rnd := gen.New(seed)
		p := gen.Policy(rnd, gen.Options{})
		o := gen.ResolveOptions(rnd)
		r, _, err := policy.Resolve(p, o)
		if err != nil {
			continue
		}
		res, err := proved.Compile(r, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Spaces {
			for i, c := range s.Calls {
				call, ok := syscalltables.ByNumber(c.ABI, c.NR)
				if !ok || i > 5 {
					continue
				}
				abis := []arch.ABI{c.ABI}
				for stage, g := range stages(t, &res.Result, graph.Options{ABIs: abis, Syscall: call.Name()}) {
					got := verdicts(g.Text(), c.ABI)
					want := r.Eval(&cbpf.Data{Arch: s.Audit, NR: c.NR})
					if !slices.Contains(got, want) {
						t.Fatalf("seed %d: %s of %v %v ends at %v, not at %v\n%s", seed, stage, c.ABI, call, got, want, g.Text())
					}
					if len(c.Clauses[0].Conds) == 0 && len(got) > 1 {
						t.Fatalf("seed %d: %s of %v %v ends at %v\n%s", seed, stage, c.ABI, call, got, g.Text())
					}
				}
			}
		}
	}
}

// verdicts returns the verdicts in a text.
func verdicts(text string, a arch.ABI) []cbpf.Action {
	var all []cbpf.Action
	for line := range strings.Lines(text) {
		_, verdict, ok := strings.Cut(strings.TrimSpace(line), "→ ")
		if !ok {
			verdict = strings.TrimSpace(strings.TrimPrefix(line, "0: "))
		}
		if name, ok := strings.CutPrefix(strings.TrimSuffix(verdict, ")"), "ERRNO("); ok {
			if n, ok := a.Errno(name); ok {
				all = append(all, cbpf.Errno(n))
				continue
			}
		}
		if action, err := cbpf.ParseAction(verdict); err == nil {
			all = append(all, action)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestSVGIsWellFormed(t *testing.T) {
	for seed := range uint64(60) {
		rnd := gen.New(seed)
		p := gen.Policy(rnd, gen.Options{})
		r, _, err := policy.Resolve(p, gen.ResolveOptions(rnd))
		if err != nil {
			continue
		}
		res, err := proved.Compile(r, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var abis []arch.ABI
		for _, s := range r.Spaces {
			abis = append(abis, s.ABIs...)
		}
		for stage, g := range stages(t, &res.Result, graph.Options{ABIs: abis, Title: "]]>&<\x00"}) {
			svg := g.SVG()
			if svg != g.SVG() {
				t.Fatalf("seed %d: %s: two drawings differ", seed, stage)
			}
			for d := xml.NewDecoder(strings.NewReader(svg)); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("seed %d: %s: %v", seed, stage, err)
				}
			}
		}
	}
}

// A policy that decides nothing is one box.
func TestOneVerdict(t *testing.T) {
	_, res := compiled(t, &policy.Policy{}, policy.Options{ABIs: []arch.ABI{arch.AArch64}, ENOSYS: policy.ENOSYS{Off: true}})
	for stage, g := range stages(t, res, graph.Options{ABIs: []arch.ABI{arch.AArch64}}) {
		if got, want := g.Text(), "0: KILL_THREAD\n"; got != want {
			t.Errorf("%s: %q, want %q", stage, got, want)
		}
		if !strings.Contains(g.SVG(), ">KILL_THREAD</text>") {
			t.Errorf("%s: no verdict in the image", stage)
		}
	}
}

func TestUnknownCall(t *testing.T) {
	abis := []arch.ABI{arch.AArch64}
	_, res := compiled(t, small(), policy.Options{ABIs: abis})
	_, err := graph.Tree(res.Tree, graph.Options{ABIs: abis, Syscall: "fork"}) // x86's
	if want := `graph: no target ABI has a call "fork"`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// An element of a page brings no style sheet, and two of one page share no id.
func TestElementOfAPage(t *testing.T) {
	abis := []arch.ABI{arch.X86_64}
	_, res := compiled(t, small(), policy.Options{ABIs: abis})
	for stage, g := range stages(t, res, graph.Options{ABIs: abis, ID: `a"b`}) {
		svg := g.SVG()
		for _, bad := range []string{"<style", `class="back"`, `"tip"`, `a"b`} {
			if strings.Contains(svg, bad) {
				t.Errorf("%s: has %s", stage, bad)
			}
		}
		if strings.Count(svg, `id="a&quot;btip"`) != 1 || !strings.Contains(svg, `url(#a&quot;btip)`) {
			t.Errorf("%s: arrows do not end in the tip of the element", stage)
		}
		if n := strings.Count(svg, "<rect "); n != g.Len() {
			t.Errorf("%s: %d boxes are drawn, want %d", stage, n, g.Len())
		}
	}
}

// Constants have the names that all calls at a test agree on, in boxes and on arrows.
func TestWords(t *testing.T) {
	abis := []arch.ABI{arch.X86_64, arch.MIPS64}
	p := small()
	p.Rules = append(p.Rules, policy.Rule{Names: []string{"clone"}, Action: cbpf.Allow, Args: []policy.Arg{
		{Index: 0, Op: policy.MaskedEqual, Value: 0x7e020000, ValueTwo: 0},
	}})
	for _, tt := range []struct {
		abi               arch.ABI
		call, stage, want string
	}{
		{arch.X86_64, "personality", "diagram", "    ≥ PER_LINUX32 → LOG\n"},
		{arch.X86_64, "socket", "diagram", "; socket type & SOCK_TYPE_MASK == SOCK_SEQPACKET  "},
		{arch.X86_64, "socket", "diagram", "    AF_UNIX → "},
		{arch.X86_64, "socket", "tree", "; socket family == AF_UNIX  "},
		{arch.MIPS64, "clone", "diagram", "; clone flags & (CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWUSER|CLONE_NEWPID|CLONE_NEWNET) == 0  "},
		{arch.MIPS64, "clone", "tree", "; clone flags & (CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWUSER|CLONE_NEWPID|CLONE_NEWNET) != 0  "},
	} {
		_, res := compiled(t, p, policy.Options{ABIs: []arch.ABI{tt.abi}})
		o := graph.Options{ABIs: abis, Syscall: tt.call, Words: symbols.Names()}
		if got := stages(t, res, o)[tt.stage].Text(); !strings.Contains(got, tt.want) {
			t.Errorf("%v %s: the %s lacks %q:\n%s", tt.abi, tt.call, tt.stage, tt.want, got)
		}
		o.Words = nil
		if got := stages(t, res, o)[tt.stage].Text(); strings.Contains(got, tt.want) {
			t.Errorf("%v %s: without words the %s has %q:\n%s", tt.abi, tt.call, tt.stage, tt.want, got)
		}
	}
}

func TestLines(t *testing.T) {
	abis := []arch.ABI{arch.X86_64}
	_, res := compiled(t, small(), policy.Options{ABIs: abis})
	whole := stages(t, res, graph.Options{ABIs: abis})["diagram"].Text()
	short := stages(t, res, graph.Options{ABIs: abis, Lines: 1})["diagram"].Text()
	if strings.Contains(whole, "…\n") || !strings.Contains(short, "calls\n        …\n") {
		t.Errorf("one line of calls:\n%s", short)
	}
	if same := stages(t, res, graph.Options{ABIs: abis, Lines: 100})["diagram"].Text(); same != whole {
		t.Error("lists that are short enough are cut")
	}
}
