// An empty program: all that it does is start and end.
package main

func main() {}
