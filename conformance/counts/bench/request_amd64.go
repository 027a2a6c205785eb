package main

// Requests to callgrind (valgrind/callgrind.h).
const (
	dumpStats = 'C'<<24 | 'T'<<16
	zeroStats = dumpStats + 1
)

// request makes a request of valgrind, which knows it by a sequence of instructions that
// does nothing elsewhere (valgrind/valgrind.h).
func request(code uint64) { callValgrind(&[6]uint64{code}) }

//go:noescape
func callValgrind(args *[6]uint64)
