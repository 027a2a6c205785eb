package compile_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/golden"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

var update = flag.Bool("update", false, "rewrite the listings")

// TestArchitectureShowsTheStages keeps the listings of docs/ARCHITECTURE.md what
// the compiler does: each stands between a line "<!-- NAME -->" and the end of the
// code block behind it.
func TestArchitectureShowsTheStages(t *testing.T) {
	const file = "../../docs/ARCHITECTURE.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	profile := block(t, &doc, "profile", "")
	r := resolve(t, []byte(profile), policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86}})
	res, err := compile.Compile(r, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	block(t, &doc, "resolved", r.String())
	block(t, &doc, "diagram", res.Diagram.String())
	block(t, &doc, "tree", res.Tree.String())
	block(t, &doc, "program", res.Program.Disassemble(policy.Names()))

	r = resolve(t, preset.Docker(), policy.Options{ABIs: []arch.ABI{arch.X86_64}, ENOSYS: policy.ENOSYS{Off: true}})
	res, err = compile.Compile(r, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	block(t, &doc, "docker diagram", res.Diagram.String())
	block(t, &doc, "docker tree", res.Tree.String())
	block(t, &doc, "docker program", res.Program.Disassemble(policy.Names()))

	golden.Check(t, *update, file, doc)
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
