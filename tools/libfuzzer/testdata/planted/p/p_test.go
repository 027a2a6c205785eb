package p_test

import (
	"testing"

	"example.com/planted/p"
)

// FuzzGood is in another package than p, and has its helper in another file.
func FuzzGood(f *testing.F) {
	f.Add([]byte("seed"), uint16(1))
	f.Add([]byte("BAG"), uint16(0x4142))
	f.Fuzz(func(t *testing.T, text []byte, n uint16) {
		if n == 0 {
			t.Skip("nothing to see")
		}
		mustBe(t, p.Good(text, n))
	})
}
