// Package conformance compares what this project compiles with what others
// compile from the same profiles, and puts its filters to work in programs that
// take them. It is a module of its own, so that those others stay out of the
// library's requirements.
package conformance
