// Package one is an example.
package one

// Shown is not for import.
func Shown() {}
