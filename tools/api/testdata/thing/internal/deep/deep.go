// Package deep is nobody else's.
package deep

// Depth is known by an alias.
type Depth struct{ Metres int }

// Deeper is a method.
func (d Depth) Deeper() Depth { return d }
