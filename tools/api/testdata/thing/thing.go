// Package thing has one of each kind of name.
package thing

import (
	"io"
	"time"

	"example.com/thing/internal/deep"
	"example.com/thing/shape"
)

// Constants with and without types, and one that is not exported.
const (
	Limit        = 1 << 70
	Word         = "a\nb"
	First Colour = iota
	Second
	hidden = true
)

// Colour is a number with methods.
type Colour uint8

// String has its receiver's value.
func (c Colour) String() string { return "" }

// Set has its receiver's address.
func (c *Colour) Set(text string) error { return nil }

func (c Colour) quiet() bool { return hidden }

// Gone is a variable.
var Gone, silent error

// Count is generic.
func Count[K comparable, V ~int | ~string](m map[K]V, each func(key K, value V) bool, rest ...[]byte) (n int, err error) {
	return 0, silent
}

func internal() {}

// Bag is generic too.
type Bag[T any] struct {
	Items []T
	size  int
}

// Add gives the type parameter another name.
func (b *Bag[E]) Add(item E) *Bag[E] { internal(); return b }

// Len does not need it.
func (Bag[_]) Len() int { return 0 }

type base struct {
	Name string
	note string
}

func (b *base) Rename(to string) { b.note = to }

func (b base) Title() string { return b.Name }

// Box embeds what is exported and what is not.
type Box struct {
	base
	*shape.Circle
	io.Reader
	Bag     Bag[int]
	Handler func(at time.Time) (ok bool)
	Tags    [2]struct{ Key, Value string }
	self    *Box
}

// Loop embeds itself.
type Loop struct{ *ring }

type ring struct {
	*ring
	Turn int
}

// Shape is an alias of what other modules can name, Depth and Own are not.
type (
	Shape       = shape.Circle
	Depth       = deep.Depth
	Own         = base
	Pair[T any] = map[T2]T
	T2          = string
)

// Store can be implemented elsewhere, Sealed cannot; Number is a constraint.
type (
	Store interface {
		io.Closer
		Get(key string) (value []byte, ok bool)
	}
	Sealed interface {
		Open()
		seal()
	}
	Number interface{ ~int | ~float64 }
	Any    interface{}
)
