package policy

import "strconv"

// sub returns the JSON pointer of an element of the array at pointer.
func sub(pointer string, index int) string { return pointer + "/" + strconv.Itoa(index) }
