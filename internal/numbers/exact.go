package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

// filters are the lengths of the golden filters of Docker's profile.
func filters(root fs.FS) (*section, error) {
	s := &section{title: "Filters", text: "Docker's default profile, instructions of the filter for all ABIs of a kernel:", heads: numbers()}
	text, err := fs.ReadFile(root, "testdata/golden/sizes.txt")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 2 {
			return nil, fmt.Errorf("testdata/golden/sizes.txt: %q", line)
		}
		name, alone := strings.CutPrefix(f[0], "docker-")
		if !alone {
			continue
		}
		what := name
		if one, ok := strings.CutSuffix(name, "-alone"); ok {
			what = one + " alone"
		} else if abi, err := arch.Parse(name); err == nil {
			what = familyOf(abi)
		} else {
			continue // other options
		}
		s.add(row{what, f[1], "go test ./compiler -run Golden"})
	}
	return s, nil
}

// familyOf names all ABIs of a kernel, its main one first.
func familyOf(a arch.ABI) string {
	var list []string
	for _, b := range a.Family() {
		list = append(list, b.String())
	}
	return strings.Join(list, ", ")
}

// peers are the rows of docs/PERFORMANCE.md about Docker's profile, whose filters are the same on
// every machine that has these compilers.
func peers(root fs.FS) (*section, error) {
	s := &section{
		title: "Beside other compilers",
		text: "The same profile for x86_64 alone, and with x86 and x32. Executed are the instructions for a call\n" +
			"that is always allowed, mean and most. `make -C conformance bench` makes all of this.",
		heads: []string{"", "instructions", "executed", "instructions, three ABIs"},
	}
	text, err := fs.ReadFile(root, "docs/PERFORMANCE.md")
	if err != nil {
		return nil, err
	}
	_, after, _ := strings.Cut(string(text), "Docker's default profile:\n")
	sizes, after := table(after)
	_, after, _ = strings.Cut(after, "Executed instructions")
	executed, _ := table(after)
	for _, r := range executed {
		i := slices.IndexFunc(sizes, func(have []string) bool { return have[0] == r[0] })
		if i < 0 || len(sizes[i]) < 5 || len(r) < 2 {
			return nil, fmt.Errorf("docs/PERFORMANCE.md: no sizes for %q", r[0])
		}
		s.rows = append(s.rows, []string{r[0], sizes[i][1], r[1], sizes[i][4]})
	}
	if len(s.rows) == 0 {
		return nil, fmt.Errorf("docs/PERFORMANCE.md: the tables of Docker's profile are not there")
	}
	return s, nil
}

// table returns the rows of the first table of a text, without its heads, and the text after it.
func table(text string) (rows [][]string, after string) {
	_, text, _ = strings.Cut(text, "\n|--")
	_, text, _ = strings.Cut(text, "\n")
	for strings.HasPrefix(text, "|") {
		line, rest, _ := strings.Cut(text, "\n")
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		rows, text = append(rows, cells), rest
	}
	return rows, text
}

// counts are the instructions that the processor executes to compile, from the committed counts.
func counts(root fs.FS) (*section, error) {
	const file = "conformance/counts/testdata/counts.txt"
	text, err := fs.ReadFile(root, file)
	if err != nil {
		return nil, err
	}
	of := map[string]int{} // by profile and work
	settings := map[string]string{}
	profiles := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 2 && strings.HasSuffix(f[0], ":") {
			settings[f[0]] = f[1]
		}
		if len(f) != 4 || strings.HasPrefix(line, "#") {
			continue
		}
		if of[f[0]+" "+f[1]], err = strconv.Atoi(f[2]); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if f[1] == "compile" {
			profiles++
		}
	}
	s := &section{
		title: "The work of compiling",
		text: fmt.Sprintf("Instructions that the processor executes for Docker's profile, with %s and %s;\nof libseccomp %s, its tree, as runc uses it:",
			settings["toolchain:"], settings["valgrind:"], settings["libseccomp:"]),
		heads: numbers(),
	}
	for i, targets := range []string{"x86_64", "x86_64, x86", "x86_64, x86, x32"} {
		p := fmt.Sprintf("docker-%d ", i+1)
		s.add(row{targets + ": resolve, compile and prove", thousands(of[p+"resolve"] + of[p+"compile"]), "make counts"},
			row{targets + ": libseccomp, without a proof", thousands(of[p+"tree"]), "make counts"})
	}
	s.add(row{"profiles that are counted", thousands(profiles), "make counts"})
	return s, nil
}

// proofs are what is compared and proved in every run of the tests.
func proofs(root fs.FS) (*section, error) {
	s := &section{title: "Proofs", text: "Every filter is proved when it is compiled. Beside that, tests compare:", heads: numbers()}
	verdicts, err := dataLines(root, "testdata/vectors/verdicts.tsv")
	if err != nil {
		return nil, err
	}
	pairs, err := dataLines(root, "testdata/vectors/pairs.tsv")
	if err != nil {
		return nil, err
	}
	goldens, err := glob(root, "testdata/golden/*.bpf")
	if err != nil {
		return nil, err
	}
	profiles, err := glob(root, "testdata/profiles/*.json")
	if err != nil {
		return nil, err
	}
	s.add(
		row{"verdicts on calls that any implementation can check", thousands(verdicts), "go test ./internal/vectors ./examples/vectors"},
		row{"pairs of profiles, and which is weaker", thousands(pairs), "go test ./internal/vectors"},
		row{"golden filters, byte for byte", thousands(len(goldens)), "go test ./compiler -run Golden"},
		row{"profiles of the tests", thousands(len(profiles)), "go test ./compiler ./proof ./cmd/seccompile"},
	)
	return s, nil
}

// dataLines counts the lines of a table that are not comments.
func dataLines(root fs.FS, file string) (n int, err error) {
	text, err := fs.ReadFile(root, file)
	if err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n, nil
}

// glob returns the files that match a pattern, of which there are some.
func glob(root fs.FS, pattern string) ([]string, error) {
	files, err := fs.Glob(root, pattern)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s: %w", pattern, fs.ErrNotExist)
	}
	return files, err
}

// kernels are the guests of docs/KERNELS.md.
func kernels(root fs.FS) (*section, error) {
	text, err := fs.ReadFile(root, "docs/KERNELS.md")
	if err != nil {
		return nil, err
	}
	_, after, _ := strings.Cut(string(text), "## The guests\n")
	guests, _ := table(after)
	releases, callers := map[string]bool{}, map[string]bool{}
	for _, g := range guests {
		if len(g) < 3 {
			return nil, fmt.Errorf("docs/KERNELS.md: a guest with %d cells", len(g))
		}
		_, release, found := strings.Cut(g[1], ", ")
		if !found {
			release = g[1]
		}
		releases[release] = true
		for abi := range strings.SplitSeq(g[2], ", ") {
			callers[abi] = true
		}
	}
	s := &section{title: "Kernels", text: "Filters judge calls on real kernels in qemu ([KERNELS.md](KERNELS.md)):", heads: numbers()}
	s.add(
		row{"guests", thousands(len(guests)), "make test-kernels test-kernels-be"},
		row{"releases of the kernel", thousands(len(releases)), "make test-kernels test-kernels-be"},
		row{"ABIs through which calls are made", thousands(len(callers)), "make test-kernels test-kernels-be"},
	)
	return s, nil
}

// names are what policies can say, and in which languages.
func names(root fs.FS) (*section, error) {
	files, err := glob(root, "language/*/*.go")
	if err != nil {
		return nil, err
	}
	var languages []string
	for _, file := range files {
		name := path.Base(path.Dir(file))
		if name != "moby" && name != "yaml" { // a type of Go's, and a form of several languages
			languages = append(languages, name)
		}
	}
	slices.Sort(languages)
	languages = slices.Compact(languages)
	calls, numbered := map[string]bool{}, 0
	for a := range arch.All() {
		for _, c := range syscalltables.All(a) {
			calls[c.Name()] = true
			numbered++
		}
	}
	s := &section{title: "Languages and names", heads: numbers()}
	s.add(
		row{"policy languages: " + strings.Join(languages, ", "), thousands(len(languages)), "go list ./language/..."},
		row{"names of system calls, as of Linux " + syscalltables.Kernel().String(), thousands(len(calls)), "go test ./syscalltables"},
		row{"numbers of system calls, on all ABIs", thousands(numbered), "go test ./syscalltables"},
		row{"profiles of others and sandboxes, built in", thousands(len(preset.Names())), "go test ./preset"},
		row{"checks of profiles", thousands(len(lint.Catalog())), "go test ./internal/lint"},
	)
	return s, nil
}

// abis is the table of ABIs, one row for each family of processors.
func abis(fs.FS) (*section, error) {
	s := &section{title: "ABIs", heads: []string{"ABIs of a kernel, its own first", "byte order", "in Go"}}
	n := 0
	for a := range arch.All() {
		n++
		if a.Main() != a {
			continue
		}
		order := "little"
		if a.ByteOrder().String() == "BigEndian" {
			order = "big"
		}
		var goarchs []string
		for _, b := range a.Family() {
			if name := b.GOARCH(); name != "" {
				goarchs = append(goarchs, name)
			}
		}
		s.rows = append(s.rows, []string{familyOf(a), order, strings.Join(goarchs, ", ")})
	}
	s.text = fmt.Sprintf("Of the %d ABIs, one filter can serve any that share a byte order. Names from OCI\n(`SCMP_ARCH_X86_64`) and Go (`amd64`) work too.", n)
	return s, nil
}
