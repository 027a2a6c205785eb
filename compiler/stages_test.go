package compiler_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/policy/docker"
	"github.com/seccompile/seccompile/syscalltables"
)

// TestArchitectureShowsTheStages keeps the listings of docs/ARCHITECTURE.md what
// the compiler does: each stands between a line "<!-- NAME -->" and the end of the
// code block behind it.
func TestArchitectureShowsTheStages(t *testing.T) {
	const file = "../docs/ARCHITECTURE.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	profile := block(t, &doc, "profile", "")
	r := resolve(t, []byte(profile), policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86}})
	res, err := compiler.Compile(r, compiler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	block(t, &doc, "resolved", r.String())
	block(t, &doc, "diagram", res.Diagram.String())
	block(t, &doc, "tree", res.Tree.String())
	block(t, &doc, "program", res.Program.Disassemble(syscalltables.Names{}))

	r = resolve(t, docker.Default(), policy.Options{ABIs: []arch.ABI{arch.X86_64}, ENOSYS: policy.ENOSYS{Off: true}})
	res, err = compiler.Compile(r, compiler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	block(t, &doc, "docker diagram", res.Diagram.String())
	block(t, &doc, "docker tree", res.Tree.String())
	block(t, &doc, "docker program", res.Program.Disassemble(syscalltables.Names{}))

	if doc == string(b) {
		return
	}
	if *update {
		if err := os.WriteFile(file, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s is -, this run + (-update if that is right)\n%s", file, cmp.Diff(string(b), doc))
}

// block returns the code block behind a mark, after replacing it by want unless
// that is empty.
func block(t *testing.T, doc *string, name, want string) string {
	t.Helper()
	before, rest, ok1 := strings.Cut(*doc, "<!-- "+name+" -->\n```")
	lang, rest, ok2 := strings.Cut(rest, "\n")
	body, after, ok3 := strings.Cut(rest, "\n```\n")
	if !ok1 || !ok2 || !ok3 {
		t.Fatalf("no code block %q", name)
	}
	if want != "" {
		body = strings.TrimSuffix(want, "\n")
		*doc = before + "<!-- " + name + " -->\n```" + lang + "\n" + body + "\n```\n" + after
	}
	return body
}
