package failing

import "testing"

func TestOne(t *testing.T) {
	if one() != 2 {
		t.Fatal("one is not two")
	}
}
