package main

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
)

// Annotations of flags that name files. A command's arguments name files that it reads.
const (
	readsFile  = "reads"
	writesFile = "writes"
	// changesFile annotates a flag whose file takes the place of what another flag or, for
	// "", the argument names: the same, changed.
	changesFile = "changes"
)

// annotate marks a flag of a command.
func annotate(cmd *cobra.Command, flag, annotation string, values ...string) {
	if err := cmd.Flags().SetAnnotation(flag, annotation, values); err != nil {
		panic(err) // the flag is missing
	}
}

// A fileUse is a file that a command was told to read or write.
type fileUse struct {
	path string
	flag string // "" for an argument
	as   string // for messages
}

// checkFiles finds mistakes in the files that flags and arguments name, before the command
// reads or writes any: a name that is empty, and an output that is also an input or another
// output.
func (a *app) checkFiles(cmd *cobra.Command) error {
	var inputs, outputs []fileUse
	changes := make(map[string][]string)
	var empty error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		use := fileUse{f.Value.String(), f.Name, "--" + f.Name}
		if f.Shorthand != "" {
			use.as = "-" + f.Shorthand
		}
		values := []string{use.path}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		kind := f.Value.Type()
		if f.Changed && slices.Contains(values, "") && (kind == "string" || kind == "stringArray") {
			empty = cmp.Or[error](empty, failure.Usagef("%s: %s: empty value", cmd.Name(), use.as).Hintf("is a variable of the shell unset?"))
		}
		if list, ok := f.Annotations[changesFile]; ok {
			changes[f.Name] = list
		}
		for _, use.path = range values {
			if _, ok := f.Annotations[readsFile]; ok && f.Changed && !intake.IsBuiltIn(use.path) {
				inputs = append(inputs, use)
			}
			if _, ok := f.Annotations[writesFile]; ok && (f.Changed || f.Name == "output") {
				use.path = cmp.Or(use.path, "-")
				outputs = append(outputs, use)
			}
		}
	})
	if empty != nil {
		return empty
	}
	args := cmd.Flags().Args()
	switch {
	case cmd.Annotations[ownStatus] != "":
		args = args[:min(len(args), 1)] // the others are the program's
	case len(args) == 0:
		args = []string{"-"}
	}
	for _, arg := range args {
		inputs = append(inputs, fileUse{path: arg, as: "the command"})
	}
	return a.conflict(cmd.Name(), inputs, outputs, changes)
}

// conflict returns an error if an output is also an input or another output.
func (a *app) conflict(verb string, inputs, outputs []fileUse, changes map[string][]string) error {
	for i, out := range outputs {
		for _, other := range outputs[:i] {
			if out.path == "-" && other.path == "-" {
				return failure.Usagef("%s: %s and %s both write to standard output", verb, other.as, out.as).Hintf("name a file for one of them")
			}
			if sameOutput(out.path, other.path) {
				return failure.Usagef("%s: %s and %s both write %s", verb, other.as, out.as, failure.Shown(out.path)).Hintf("name another file for one of them")
			}
		}
		for _, in := range inputs {
			if slices.Contains(changes[out.flag], in.flag) || !a.sameInput(out.path, in.path) {
				continue
			}
			return failure.Usagef("%s: %s would overwrite %s, which %s reads", verb, out.as, failure.Shown(out.path), in.as).Hintf("name another file with %s", out.as)
		}
	}
	return nil
}

// sameInput reports whether an output is the file that an input names.
func (a *app) sameInput(out, in string) bool {
	if out == "-" {
		return false
	}
	var there fs.FileInfo
	var err error
	if f, ok := a.stdin.(*os.File); ok && in == "-" {
		there, err = f.Stat()
	} else {
		there, err = os.Stat(in)
	}
	file, err2 := os.Stat(out)
	return err == nil && err2 == nil && file.Mode().IsRegular() && os.SameFile(file, there)
}

// sameOutput reports whether two outputs are one file, which need not exist yet.
func sameOutput(a, b string) bool {
	file, err1 := os.Stat(a)
	other, err2 := os.Stat(b)
	if err1 == nil && err2 == nil {
		return file.Mode().IsRegular() && os.SameFile(file, other)
	}
	return err1 != nil && err2 != nil && filepath.Base(a) == filepath.Base(b) && sameFile(filepath.Dir(a), filepath.Dir(b))
}

// sameFile reports whether two names are of one file, which exists.
func sameFile(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}
