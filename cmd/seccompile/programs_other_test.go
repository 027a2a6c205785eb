//go:build !linux

package main

func addPrograms(map[string]func()) {}
