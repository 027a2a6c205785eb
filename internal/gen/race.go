//go:build race

package gen

// Race is whether the race detector is on, which allocates where programs do not.
const Race = true
