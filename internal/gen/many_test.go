package gen

import (
	"testing"
)

func TestManyIsLongOnlyWhenAskedTo(t *testing.T) {
	t.Setenv("SECCOMPILE_LONG", "1")
	if got := Many(30, 1000); got != 1000 {
		t.Errorf("long: %d, want 1000", got)
	}
	t.Setenv("SECCOMPILE_LONG", "3")
	if got := Many(30, 1000); got != 3000 {
		t.Errorf("three times as long: %d, want 3000", got)
	}
	t.Setenv("SECCOMPILE_LONG", "")
	usual, few := 30, 5
	if testing.Short() {
		usual, few = 3, 1
	}
	if got := Many(30, 1000); got != usual {
		t.Errorf("%d, want %d", got, usual)
	}
	if got := Many(5, 1000); got != few {
		t.Errorf("%d, want %d", got, few)
	}
}
