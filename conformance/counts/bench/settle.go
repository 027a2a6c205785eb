package main

import "unsafe"

const (
	chunk = 4 << 20 // what Go's heap grows by (runtime: pallocChunkBytes)
	block = 8 << 10 // a page of it
)

// settle uses up the heap that is left of a chunk, and the first block of the next, so that
// what follows finds the same heap whatever came before. Growing takes 70,000 instructions:
// they belong to work that needs more than a chunk, and not to whoever comes to an end of one.
func settle() {
	for first := true; first || uintptr(unsafe.Pointer(&sink[0]))%chunk != 0; first = false {
		sink = make([]byte, block)
	}
}

// sink is the newest block.
var sink []byte
