// Package sums is small.
package sums

import (
	"fmt"
	"strings"
)

const most = 10

// Sum is tested.
func Sum(a, b int) (sum int) {
	sum = a + b
	return sum
}

// Product is not.
func Product(a, b int) int { return a * b }

// Larger returns the larger one, which of equal ones does not matter.
func Larger(a, b int) int {
	if a > b {
		return a
	}
	return b
}

// Same returns 0 whatever it asks.
func Same() int {
	n := 1
	if n > 0 {
		n = 0
	}
	return n
}

// Count hangs if it goes down.
func Count() (n int) {
	for n != 3 {
		n++
	}
	return n
}

// A Text is for people.
type Text int

func (t Text) String() string { return fmt.Sprint("text ", 7+int(t)) }

// Full knows a constant.
func Full(n int) bool {
	if n < 0 {
		panic("BUG: negative")
	}
	list := make([]bool, 0, 8)
	return len(append(list, true)) > 0 && n >= most
}

// Shout compiles with no other operator.
func Shout(s string) string { return strings.ToUpper(s) + "!" + s }
