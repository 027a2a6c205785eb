// Package p has a fault.
package p

// Good reports whether it likes a text.
func Good(text []byte, n uint16) bool {
	return len(text) < 3 || text[0] != 'B' || text[1] != 'U' || text[2] != 'G' || n != 0x4142
}
