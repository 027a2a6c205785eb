package code

import (
	"slices"
	"testing"
)

// Lists of all lengths keep what was in them, whatever is kept or appended behind.
func TestListsInAnArena(t *testing.T) {
	var a arena[int]
	var kept [][]int
	for n := range arenaSize / 8 {
		list := slices.Repeat([]int{n}, n)
		kept = append(kept, a.keep(list))
		clear(list)
	}
	for n, list := range kept {
		if len(list) != n || slices.ContainsFunc(append(list, -1)[:n], func(i int) bool { return i != n }) {
			t.Errorf("list of %d: %v", n, list)
		}
	}
	if a.keep([]int{}) != nil {
		t.Error("an empty list is there")
	}
}
