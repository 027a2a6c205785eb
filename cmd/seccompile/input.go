package main

import (
	"fmt"
	"io"
	"os"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
)

// maxInput bounds the size of inputs: a larger one is a mistake.
const maxInput = 64 << 20

// read reads the input that an argument names: a path, "-", a built-in profile, or, if
// no argument is given, whatever is piped in. Of an artifact that was pulled from a registry it
// is what the artifact holds.
func (a *app) read(arg string) (*intake.Input, error) {
	in, err := a.open(arg)
	if err != nil {
		return nil, err
	}
	return unpacked(in)
}

// open is read without looking into artifacts: their manifest is the input.
func (a *app) open(arg string) (*intake.Input, error) {
	var name string
	var data []byte
	var err error
	switch {
	case intake.IsBuiltIn(arg):
		return intake.BuiltIn(arg)
	case arg == "-" || arg == "":
		if arg == "" && isTerminal(a.stdin) {
			return nil, failure.Usagef("no input").Hintf("give the name of a file, or %s, or pipe one in", intake.DockerDefault)
		}
		if a.stdinTaken {
			return nil, failure.Usagef("standard input can only be read once")
		}
		a.stdinTaken = true
		arg, name = standardInput, standardInput
		data, err = readAll(a.stdin)
	default:
		arg = manifestOf(arg)
		name = failure.Shown(arg)
		data, err = readFile(arg)
	}
	if err != nil {
		return nil, unreadable(arg, err)
	}
	in := intake.New(arg, name, data)
	if in.Kind == 0 {
		return nil, in.Unknown()
	}
	return in, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f)
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = fmt.Errorf("larger than %d MiB", maxInput>>20)
	}
	return data, err
}
