// Package shape is a second public one.
package shape

// Circle is round.
type Circle struct{ Radius float64 }

// Area has a method of its own.
func (c *Circle) Area() float64 { return 0 }
