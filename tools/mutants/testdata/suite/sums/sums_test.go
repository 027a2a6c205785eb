package sums

import (
	"os"
	"testing"
	"time"
)

func TestSum(t *testing.T) {
	if got := Sum(1, 2) + Same(); got != 3 {
		t.Error(got)
	}
}

func TestLarger(t *testing.T) {
	if Larger(1, 2) != 2 || Larger(2, 1) != 2 {
		t.Error("not larger")
	}
}

func TestCountIsSlow(t *testing.T) {
	time.Sleep(100 * time.Millisecond)
	if Count() != 3 {
		t.Error("not 3")
	}
}

func TestFull(t *testing.T) {
	if Full(9) || !Full(10) {
		t.Error("not 10")
	}
}

func TestInItsDirectory(t *testing.T) {
	if _, err := os.Stat("sums.go"); err != nil || !testing.Short() {
		t.Error("not a short test in its directory: ", err)
	}
}
