package graph_test

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

// The path of every call ends at its verdict, is a part of what its number reaches, and
// leads through boxes that list the call.
func TestMarks(t *testing.T) {
	abis := []arch.ABI{arch.X86_64, arch.X32, arch.X86}
	docker, _, err := oci.Read(preset.Docker(), policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*policy.Policy{"small": small(), "docker": docker} {
		r, res := compiled(t, p, policy.Options{ABIs: abis})
		for stage, g := range stages(t, res, graph.Options{ABIs: abis, Marks: true, ID: "x"}) {
			for _, a := range abis {
				for nr := range syscalltables.All(a) {
					for _, arg := range []uint64{0, 1, 8, 38, 1 << 32, 0x10000000, ^uint64(0)} {
						d := &cbpf.Data{Arch: a.Audit(), NR: nr, Args: [6]uint64{arg, arg}}
						path, reach := g.Path(d), g.Reach(d.Arch, d.NR)
						last := g.Mark(path[len(path)-1])
						if !last.Leaf || last.Action != r.Eval(d) {
							t.Fatalf("%s %s: %+v ends at %+v, want %v", name, stage, d, last, r.Eval(d))
						}
						for _, box := range path {
							if !slices.Contains(reach, box) {
								t.Fatalf("%s %s: %+v passes box %d, which is not among %v", name, stage, d, box, reach)
							}
						}
					}
					for _, box := range g.Reach(a.Audit(), nr) {
						if !slices.Contains(g.Mark(box).Calls, graph.Call{ABI: a, NR: nr}) {
							t.Fatalf("%s %s: box %d does not list call %d of %v", name, stage, box, nr, a)
						}
					}
				}
			}
			if path := g.Path(&cbpf.Data{Arch: 1}); g.Mark(path[len(path)-1]).Action != cbpf.KillThread {
				t.Errorf("%s %s: a call of an unknown ABI passes %v", name, stage, path)
			}
			checkMarks(t, g)
		}
	}
}

// checkMarks finds each box once in the image, and arrows between boxes only.
func checkMarks(t *testing.T, g *graph.Graph) {
	t.Helper()
	var boxes int
	for dec := xml.NewDecoder(strings.NewReader(g.SVG())); ; {
		token, err := dec.Token()
		if err != nil {
			break
		}
		start, _ := token.(xml.StartElement)
		for _, attr := range start.Attr {
			n, err := strconv.Atoi(attr.Value)
			switch attr.Name.Local {
			case "data-node":
				if n != boxes {
					t.Errorf("box %d comes after %d", n, boxes-1)
				}
				boxes++
			case "data-from", "data-to":
				if err != nil || n < 0 || n >= g.Len() {
					t.Errorf("an arrow has %s=%q of %d boxes", attr.Name.Local, attr.Value, g.Len())
				}
			}
		}
	}
	if boxes != g.Len() {
		t.Errorf("%d boxes of %d have numbers", boxes, g.Len())
	}
}

// In a drawing of one call, the path of another one ends where it leaves the drawing.
func TestPathOfAnotherCall(t *testing.T) {
	abis := []arch.ABI{arch.X86_64, arch.X86}
	_, res := compiled(t, small(), policy.Options{ABIs: abis})
	for stage, g := range stages(t, res, graph.Options{ABIs: abis, Syscall: "socket"}) {
		path := g.Path(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: 0})
		if len(path) == 0 || g.Mark(path[len(path)-1]).Leaf {
			t.Errorf("%s: read passes %v", stage, path)
		}
	}
}
