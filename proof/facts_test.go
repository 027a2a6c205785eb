package proof

import (
	"math"
	"testing"
)

// A word that is not the first or the last of its values has an end that is one further
// in, and no hole.
func TestAnEndThatIsExcludedNarrows(t *testing.T) {
	tests := []struct {
		not  uint32
		want string
		hole int
	}{
		{5, "0x6..0x8", 0},
		{8, "0x5..0x7", 0},
		{6, "0x5..0x8", 1},
		{9, "0x5..0x8", 0},
	}
	for _, tt := range tests {
		var s facts
		s.forget()
		ok := s.assume(wordNR, test{op: atLeast, value: 5}) && s.assume(wordNR, test{op: lessThan, value: 9}) &&
			s.assume(wordNR, test{bitsAreNot, math.MaxUint32, tt.not})
		if got := s.of[wordNR].String(); !ok || got != tt.want || len(s.holes) != tt.hole {
			t.Errorf("not %d: %v, %s, %d holes; want %s and %d", tt.not, ok, got, len(s.holes), tt.want, tt.hole)
		}
	}
}
