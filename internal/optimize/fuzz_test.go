package optimize

import (
	"encoding/binary"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/proof"
)

// FuzzOptimize holds random programs, and two stacked, against the laws: equal and
// not longer.
func FuzzOptimize(f *testing.F) {
	for seed := range uint64(16) {
		r := gen.New(seed)
		data := make([]byte, 16<<r.IntN(5))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data, uint16(r.IntN(100)), seed%2 == 0)
	}
	limits := proof.Limits{Nodes: 1 << 13, Steps: 1 << 16, Rows: 1 << 8}
	f.Fuzz(func(t *testing.T, data []byte, n uint16, big bool) {
		order := binary.ByteOrder(binary.LittleEndian)
		if big {
			order = binary.BigEndian
		}
		r := gen.FromBytes(data)
		var layers []Layer
		for range 2 {
			p, err := cbpf.New(gen.Program(r, 1+int(n)%60), order)
			if err != nil {
				t.Fatal(err)
			}
			optimised(t, p, limits)
			layers = append(layers, Layer{Name: "random", Program: p})
		}
		merged(t, layers, limits)
	})
}
