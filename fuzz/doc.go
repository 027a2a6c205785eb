// Package fuzz holds the fuzz targets of the project and the laws that random
// policies and programs must obey. Each target's corpus also runs as a unit
// test.
package fuzz
