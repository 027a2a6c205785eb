// Command tool is a program.
package main

// Exported is out of reach.
func Exported() {}

func main() {}
