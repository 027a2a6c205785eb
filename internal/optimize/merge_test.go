package optimize

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// merged merges layers and holds the result against the law. It returns nil where
// a limit was hit, or the program would be too long.
func merged(t testing.TB, layers []Layer, l proof.Limits) *cbpf.Program {
	t.Helper()
	r, err := Merge(layers, l)
	var limit *proof.LimitError
	var long *compile.TooLongError
	if errors.As(err, &limit) || errors.As(err, &long) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var stack []proof.Subject
	for i := range layers {
		stack = append(stack, layers[i].subject())
	}
	equal, err := proof.Equal(proof.Stack(stack...), proof.Program(r.Program), l)
	if err != nil || equal.Verdict == proof.Different {
		t.Fatalf("%v, %v", err, equal.Witness)
	}
	if r.Proof.Verdict != proof.Same || r.Points == 0 {
		t.Errorf("%+v", r)
	}
	return r.Program
}

func TestMergeTakesTheStrictestAndOfEquallyStrictTheNewest(t *testing.T) {
	tests := []struct{ older, newer, want string }{
		{"ALLOW", "ERRNO(1)", "ERRNO(1)"},
		{"ERRNO(1)", "ALLOW", "ERRNO(1)"},
		{"ERRNO(1)", "ERRNO(2)", "ERRNO(2)"},
		{"ERRNO(2)", "ERRNO(1)", "ERRNO(1)"},
		{"TRACE(1)", "NOTIFY", "NOTIFY"},
		{"KILL_THREAD", "KILL_PROCESS", "KILL_PROCESS"},
		{"LOG", "TRACE(7)", "TRACE(7)"},
		{"TRAP", "ERRNO(1)", "TRAP"},
		{"0x7fff0005", "ALLOW", "ALLOW"},
	}
	for _, tt := range tests {
		p := merged(t, []Layer{
			{Name: "older", Program: assemble(t, ".order little; ret "+tt.older)},
			{Name: "newer", Program: assemble(t, ".order little; ret "+tt.newer)},
		}, proof.Limits{})
		if got := p.Eval(&cbpf.Data{}).String(); p.Len() != 1 || got != tt.want {
			t.Errorf("%s, then %s: %s in %d instructions, want %s in one", tt.older, tt.newer, got, p.Len(), tt.want)
		}
	}
}

func TestMergeOfRandomLayers(t *testing.T) {
	done := 0
	for seed := uint64(0); seed < 240; seed += 3 {
		var layers []Layer
		order := binary.ByteOrder(binary.LittleEndian)
		for i := range 1 + seed%4 {
			f := Layer{Name: fmt.Sprint(i)}
			if res := randomPolicy(seed+i, 4); res != nil && i%2 == 0 {
				f.Policy = res
			} else {
				f.Program = randomProgram(t, seed&^1|i%2, 20)
			}
			if i == 0 {
				order = f.order()
			}
			if f.order() == order {
				layers = append(layers, f)
			}
		}
		p := merged(t, layers, small)
		if p == nil {
			continue
		}
		done++
		r := gen.New(seed)
		for range 50 {
			d := gen.Data(r, p.Raw())
			want := cbpf.Allow
			for i := len(layers) - 1; i >= 0; i-- {
				if a := layers[i].subject().Eval(&d); a.Compare(want) < 0 {
					want = a
				}
			}
			if got := p.Eval(&d); got != want {
				t.Fatalf("seed %d: %+v: %v, want %v", seed, d, got, want)
			}
		}
	}
	t.Logf("%d stacks merged", done)
	if done < 40 {
		t.Error("want most of the stacks merged")
	}
}

// What a narrow profile allows of Docker's is about as small as itself.
func TestMergeWithDockerDefault(t *testing.T) {
	abis := []arch.ABI{arch.X86_64, arch.X86, arch.X32}
	older := dockerDefault(t, policy.Options{ABIs: abis})
	newer := assemble(t, `.order little
		ld arch; jeq x86_64, jf no
		ld nr; jeq x86_64:personality, yes; jeq x86_64:write, yes; jeq x86_64:clone, jf no
		yes: ret ALLOW
		no: ret KILL_PROCESS`)
	p := merged(t, []Layer{{Name: "docker", Program: older}, {Name: "own", Program: newer}}, proof.Limits{})
	if p.Len() > 30 {
		t.Errorf("%d instructions", p.Len())
	}
	if got := p.Eval(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: 135, Args: [6]uint64{1}}); got != cbpf.Errno(1) {
		t.Errorf("personality(1): %v", got)
	}
}

func TestMergeRefuses(t *testing.T) {
	little := Layer{Name: "a.bpf", Program: assemble(t, ".order little; ret ALLOW")}
	big := Layer{Name: "b.bpf", Program: assemble(t, ".order big; ret ALLOW")}
	tests := []struct {
		name   string
		layers []Layer
		want   []string
	}{
		{"nothing", nil, []string{"nothing to merge"}},
		{"two byte orders", []Layer{little, big}, []string{"b.bpf is big-endian and a.bpf little-endian"}},
		{"every layer of the other byte order", []Layer{big, little, {Name: "c.bpf", Program: little.Program}},
			[]string{"b.bpf is big-endian and a.bpf little-endian", "b.bpf is big-endian and c.bpf little-endian"}},
		{"a layer without content", []Layer{little, {Name: "empty"}}, []string{"empty: a layer is either"}},
		{"a layer that is both", []Layer{{Name: "both", Program: little.Program, Policy: &policy.Resolved{}}}, []string{"both: a layer is either"}},
		{"a policy for no ABI", []Layer{{Name: "p.json", Policy: &policy.Resolved{}}}, []string{"p.json: policy: no target ABI"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Merge(tt.layers, proof.Limits{})
			if err == nil || r != nil {
				t.Fatalf("%+v, %v", r, err)
			}
			if lines := strings.Split(err.Error(), "\n"); len(lines) != len(tt.want) {
				t.Errorf("%q, want %d problems", lines, len(tt.want))
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestMergeThatDoesNotFit(t *testing.T) {
	r := gen.New(1)
	var layers []Layer
	for i := range 3 {
		text := ".order little\nld nr\n"
		for j := range 1300 {
			text += fmt.Sprintf("jeq #%d, jf l%d\nret ERRNO(%d)\nl%d:\n", r.Uint32(), j, j%40, j)
		}
		layers = append(layers, Layer{Name: fmt.Sprint(i), Program: assemble(t, text+"ret ALLOW")})
	}
	_, err := Merge(layers, proof.Limits{})
	var long *compile.TooLongError
	if !errors.As(err, &long) || long.Len <= cbpf.MaxInstructions {
		t.Errorf("%v, want a TooLongError", err)
	}
}
