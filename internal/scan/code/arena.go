package code

// An arena has many short lists that live as long as the module: memory of their own would cost
// more than what is in most of them.
type arena[T any] struct{ free []T }

// arenaSize is the number of elements that are allocated at once; lists that are longer than a
// part of it get memory of their own.
const arenaSize = 1 << 10

// keep returns a copy of a list, nil if it is empty. Appending to it copies it again.
func (a *arena[T]) keep(list []T) []T {
	n := len(list)
	switch {
	case n == 0:
		return nil
	case n > arenaSize/16:
		return append(make([]T, 0, n), list...)
	case n > len(a.free):
		a.free = make([]T, arenaSize)
	}
	kept := a.free[:n:n]
	a.free = a.free[n:]
	copy(kept, list)
	return kept
}
