package policy

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// Arm's private calls are far from its others, and a number far from all may be anywhere: all
// come by number, whether given by name, as a number or both.
func TestFarNumbersComeInOrder(t *testing.T) {
	p := &Policy{Default: cbpf.KillProcess, NoBound: true, Rules: []Rule{
		{Names: []string{"cacheflush", "read", "set_tls"}, Numbers: []uint32{5000, 3, 1, 0xf0002, 1023, 1024}, Action: cbpf.Allow},
		{Names: []string{"breakpoint", "write"}, Numbers: []uint32{1024, 7, 1<<30 - 1}, Action: cbpf.Log},
	}}
	r, _, err := Resolve(p, Options{ABIs: []arch.ABI{arch.ARM}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range r.Spaces[0].Calls {
		got = append(got, fmt.Sprintf("%#x %v", c.NR, c.Clauses[0].Action))
	}
	want := []string{
		"0x1 ALLOW", "0x3 ALLOW", "0x4 LOG", "0x7 LOG", "0x3ff ALLOW", "0x400 ALLOW", "0x1388 ALLOW",
		"0xf0001 LOG", "0xf0002 ALLOW", "0xf0005 ALLOW", "0x3fffffff LOG",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
