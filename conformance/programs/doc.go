// Package programs tests that recordings of real programs are safe to use: programs run
// under them as they were recorded, on an idle machine and on a busy one.
package programs
