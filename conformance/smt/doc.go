// Package smt gives what package proof answers to z3 and cvc5, which know nothing of
// this project: whether two programs, or a policy and a program, ever differ. Neither side
// may contradict the other.
package smt
