// Package scan finds the system calls that programs can make, without running them: ELF
// executables with all that ld.so loads and what they load themselves by convention, scripts
// through their interpreters, whole file systems of an image. Every call that is found has
// a chain of functions from an entry point to the instruction; what cannot be resolved
// (a number that is not constant, a call into what was not analysed) is listed.
//
// The result is an upper bound, as a recording is a lower one: what a program of the scanned
// files makes is in it, unless the result lists as unresolved what hides it.
package scan

import (
	"github.com/seccompile/seccompile/arch"
)

// Options say what to scan.
type Options struct {
	Root  string   // what absolute paths in files (interpreters, libraries, modules) are relative to; "" means "/"
	Paths []string // programs, scripts, directories
	With  []string // files and directories of files that the programs also load, with all that they export
	Args  bool     // find the values of arguments as well
	Cache string   // a directory for what is known of files by build-id; "" means none
}

// A Result is what the programs can do.
type Result struct {
	Programs   []Program
	Modules    []Module
	Calls      []Call // sorted by ABI and number
	Unresolved []Unresolved
}

// Incomplete tells whether calls may be missing, and why.
func (r *Result) Incomplete() []string { panic("to be written") }

// A Program is an executable that was scanned.
type Program struct {
	Path   string
	Script string // the script by which it was found, if so
	ABI    arch.ABI
}

// A Module is a file of a program.
type Module struct {
	Path, BuildID string
	Why           string // "program", "interpreter", "needed by ...", "dlopen literal in ...", "NSS (nsswitch.conf: passwd)", "with"
	Sites         int    // system-call instructions in it
	Reached       int    // functions
	Funcs         int
}

// A Call is a system call that can be reached.
type Call struct {
	ABI   arch.ABI
	NR    uint32
	Name  string
	Args  [6]Values // what arguments can be, with Options.Args
	Chain []Step    // shortest from an entry point to the instruction
}

// Values are those that an argument can have; Any if not all are known.
type Values struct {
	Any    bool
	Values []uint64
}

// A Step is a function on the way to a system call.
type Step struct {
	Module string
	Addr   uint64
	Name   string // of the function; "" if unknown
	How    string // how the step before leads here: "entry", "call", "plt", "mentioned", "constructor", "method of ...", ...
}

// An Unresolved is a place where calls could hide.
type Unresolved struct {
	Step
	Reason string
	Harm   bool // whether it makes the result incomplete; if not, Reason says what bounds it
}
