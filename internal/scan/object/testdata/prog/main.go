// A program for golang_test.go: types whose methods only interfaces call.
package main

import (
	"fmt"
	"io"
	"os"
	"sort"
)

// lengths is a map with methods, whose descriptor differs between releases of Go.
type lengths map[string][2]string

func (l lengths) Len() int           { return len(l) }
func (l lengths) Less(i, j int) bool { return i < j }
func (l lengths) Swap(i, j int)      {}

type ender struct {
	inner lengths
	count int
}

func (e *ender) Read(p []byte) (int, error) { e.count++; return 0, io.EOF }

type handler func(int, lengths) error

func (h handler) String() string { return "handler" }

var early = func() int { return len(os.Args) }()

func main() {
	var data sort.Interface = lengths{}
	sort.Sort(data)
	_, err := io.Copy(os.Stdout, &ender{})
	fmt.Println(err, early, handler(nil))
}
