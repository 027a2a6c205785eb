package main

import "unsafe"

// chunk is what Go's heap grows by (runtime: pallocChunkBytes), and block the largest of
// the pieces of which a thread keeps some.
const (
	chunk = 4 << 20
	block = 8 << 10
)

// settle uses up the heap that is left of a chunk, and the first block of the next, so that
// what follows finds the same heap whatever came before. Growing takes 70,000 instructions:
// they belong to work that needs more than a chunk, and not to whoever comes to an end of one.
func settle() {
	for uintptr(unsafe.Pointer(&sink[0]))%chunk != 0 {
		sink = make([]byte, block)
	}
}

// sink is the newest block.
var sink = make([]byte, block)
