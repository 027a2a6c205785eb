package yaml

import (
	"math/big"
	"strings"
	"testing"
)

// Numbers are those of Go's syntax, as package math/big reads it.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{
		"", "0", "-0", "7", "-12", "007", "08", "0x", "0xfF", "-0x10", "0o17", "0o8", "0b101", "0b2", "00", "1a", "-", "--1",
		"18446744073709551616", "0x" + strings.Repeat("f", 90), strings.Repeat("9", 100), "0xg", "-0b0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "_+BOX") || len(s) > 100 { // prefixes of YAML are in lower case
			return
		}
		want, ok := new(big.Int).SetString(s, 0)
		got, gotOK := decimal(s)
		if gotOK != ok || ok && got != want.String() {
			t.Errorf("%q: %q, %v, want %v, %v", s, got, gotOK, want, ok)
		}
	})
}
