package lint

import (
	"strconv"
	"strings"
)

// parent returns the JSON pointer of what holds the value at pointer.
func parent(pointer string) string { return pointer[:max(0, strings.LastIndexByte(pointer, '/'))] }

// last returns the last token of a JSON pointer: a key or an index.
func last(pointer string) string { return pointer[strings.LastIndexByte(pointer, '/')+1:] }

// element returns the JSON pointer of an element of the array at pointer.
func element(pointer string, index int) string { return pointer + "/" + strconv.Itoa(index) }
