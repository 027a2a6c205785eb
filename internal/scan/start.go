package scan

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A start is a program to scan, and how it was found.
type start struct {
	path   string // in the tree, without symbolic links
	script string // that names it as its interpreter
	inDir  bool   // whether it was found in a folder, not named
}

// maxScripts is how many interpreters may be scripts themselves (fs/exec.c).
const maxScripts = 5

// maxFirstLine is how much the kernel reads of the line (linux/binfmts.h: BINPRM_BUF_SIZE).
const maxFirstLine = 256 - len("#!")

// starts returns the programs that paths name: themselves, the interpreters of scripts, and
// all executable files of folders. A path that the user names must be one of these; in a
// folder, others are passed over, and programs that cannot be read are listed.
func starts(t tree, paths []string) (list []start, unread []Unresolved, err error) {
	seen := make(map[string]bool)
	add := func(found ...start) {
		for _, s := range found {
			if !seen[s.path] {
				seen[s.path] = true
				list = append(list, s)
			}
		}
	}
	var problems []error
	for _, path := range paths {
		if !t.isDir(path) {
			found, err := startsOf(t, path)
			add(found...)
			problems = append(problems, err) // Join leaves out nil
			continue
		}
		err := t.walk(path, func(file string) error {
			info, err := os.Lstat(t.host(file))
			if err != nil || info.Mode()&0o111 == 0 {
				return nil
			}
			found, err := startsOf(t, file)
			switch program := isProgram(t, file); {
			case err == nil && program:
				for i := range found {
					found[i].inDir = true
				}
				add(found...)
			case program && isExecuted(t, file):
				unread = append(unread, leftOut(file, err))
			}
			return nil
		})
		if err != nil {
			problems = append(problems, err)
		}
	}
	return list, unread, errors.Join(problems...)
}

// leftOut says that a program in a folder is not in the result, and why.
func leftOut(path string, err error) Unresolved {
	reason := err.Error()
	for _, prefix := range [...]string{"scan: ", "object: ", path + ": "} {
		reason = strings.TrimPrefix(reason, prefix)
	}
	return Unresolved{Step: Step{Module: path}, Reason: "is left out: " + reason, Harm: true}
}

// isExecuted reports whether the kernel could execute a file: a script, or a program in ELF
// of any machine.
func isExecuted(t tree, path string) bool {
	head, err := t.head(path, elfHeader)
	if err != nil {
		return false
	}
	script := bytes.HasPrefix(head, []byte("#!"))
	return script || len(head) > 18 && bytes.HasPrefix(head, []byte("\x7fELF")) && (head[16] == 2 || head[16] == 3)
}

// isProgram tells programs and scripts from libraries, which are executable files as well on
// some systems, but have no entry point or a name with ".so".
func isProgram(t tree, path string) bool {
	if strings.Contains(filepath.Base(path), ".so") {
		return false
	}
	head, err := t.head(path, elfHeader)
	return err == nil && (machineOf(head) == 0 || !bytes.Equal(head[24:32], make([]byte, 8)))
}

// startsOf returns the programs that run when a file is executed: the file, or the
// interpreters of a script, of which env(1) executes another one.
func startsOf(t tree, path string) (list []start, err error) {
	script := ""
	for range maxScripts {
		clean, _, err := t.resolve(path)
		if err != nil && script != "" {
			return nil, fmt.Errorf("scan: %s: its interpreter %s: %w", script, path, plain(err))
		}
		if err != nil {
			return nil, fmt.Errorf("scan: %s: %w", path, plain(err))
		}
		head, err := t.head(clean, 4096)
		if err != nil {
			return nil, fmt.Errorf("scan: %s: %w", path, plain(err))
		}
		line, isScript := strings.CutPrefix(string(head), "#!")
		if !isScript {
			if machineOf(head) == 0 {
				return nil, fmt.Errorf("scan: %s: not an ELF file of 64 bits for x86_64 or aarch64, and not a script: name a program or a folder with programs", path)
			}
			return append(list, start{path: clean, script: script}), nil
		}
		if script == "" {
			script = path
		}
		line, _, _ = strings.Cut(line[:min(len(line), maxFirstLine)], "\n")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			break
		}
		path = fields[0]
		if name := envProgram(fields); name != "" {
			env, err := startsOf(t, path)
			if err != nil {
				return nil, err
			}
			list = append(list, start{path: env[0].path, script: script})
			if path = inPath(t, name); path == "" {
				return nil, fmt.Errorf("scan: %s: %s is in none of the usual folders: name the interpreter itself", script, name)
			}
		}
	}
	return nil, fmt.Errorf("scan: %s: its first line leads to no program: name the interpreter itself", cmp.Or(script, path))
}

// envProgram returns what env(1) executes in the first line of a script, "" without env.
func envProgram(fields []string) string {
	if filepath.Base(fields[0]) != "env" {
		return ""
	}
	value := false // of the option before
	for _, arg := range fields[1:] {
		arg = strings.TrimPrefix(strings.TrimPrefix(arg, "--split-string="), "-S") // -Sprog too
		if value {
			value = false
			continue
		}
		value = arg == "-u" || arg == "--unset" || arg == "-C" || arg == "--chdir"
		if arg != "" && !strings.HasPrefix(arg, "-") && !strings.Contains(arg, "=") {
			return arg
		}
	}
	return ""
}

// inPath finds a program in the usual folders.
func inPath(t tree, name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	for _, dir := range [...]string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		path := filepath.Join(dir, name)
		if _, _, err := t.resolve(path); err == nil {
			return path
		}
	}
	return ""
}

// plain returns the reason of an error without its path, which the message has already.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
