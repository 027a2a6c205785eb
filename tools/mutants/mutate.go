package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A mutant is a source file with one change.
type mutant struct {
	entry
	file     string // in the module, slash-separated
	line     int
	from, to int    // offsets of what is replaced
	text     string // what it is replaced with
	body     body   // of the function, empty outside of functions
	number   int    // in the combined program, 0 if it is not a part of it
	fate     fate
}

// A body is the offsets of the body of a function, and the text of its results.
type body struct {
	from, to int
	results  string
}

func (m *mutant) compare(other *mutant) int {
	return cmp.Or(cmp.Compare(m.file, other.file), cmp.Compare(m.from, other.from), cmp.Compare(m.to, other.to), cmp.Compare(m.text, other.text))
}

// source returns the changed file. Its lines keep their numbers, which a program
// contains, too.
func (m *mutant) source(original string) string {
	lost := strings.Count(original[m.from:m.to], "\n") - strings.Count(m.text, "\n")
	return original[:m.from] + m.text + strings.Repeat("\n", lost) + original[m.to:]
}

// mutants returns all mutants of a package: of what is built for this system, not of
// generated files.
func mutants(root, pkg string) ([]*mutant, error) {
	p, err := build.ImportDir(filepath.Join(root, filepath.FromSlash(pkg)), 0)
	if err != nil {
		return nil, err
	}
	var list []*mutant
	for _, name := range p.GoFiles {
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return nil, err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if ast.IsGenerated(f) {
			continue
		}
		c := changer{file: fset.File(f.Pos()), text: string(text), pkg: pkg, name: pkg + "/" + name}
		for _, d := range f.Decls {
			c.declaration(d)
		}
		list = append(list, c.list...)
	}
	return list, nil
}

// A changer collects the mutants of a file.
type changer struct {
	file      *token.File
	text      string
	pkg, name string
	function  string // or variable or constant at work
	body      body
	list      []*mutant
}

func (c *changer) declaration(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if c.function = functionName(d); d.Body != nil && !forReaders(d) {
			c.body = body{from: c.file.Offset(d.Body.Lbrace) + 1, to: c.file.Offset(d.Body.Rbrace)}
			if r := d.Type.Results; r != nil {
				c.body.results = c.textOf(r)
			}
			c.walk(d.Body)
			c.body = body{}
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				c.function = s.Names[0].Name
				c.walk(s)
			case *ast.TypeSpec:
				c.function = s.Name.Name
				c.walk(s)
			}
		}
	}
}

// functionName returns a name such as "(*T).F".
func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	recv := d.Recv.List[0].Type
	if star, ok := recv.(*ast.StarExpr); ok {
		return fmt.Sprintf("(*%s).%s", star.X, d.Name.Name)
	}
	return fmt.Sprintf("%s.%s", recv, d.Name.Name)
}

// forReaders reports whether a function is the method String or Error: nothing but
// people goes by what it returns.
func forReaders(d *ast.FuncDecl) bool {
	return d.Recv != nil && (d.Name.Name == "String" || d.Name.Name == "Error") && len(d.Type.Params.List) == 0
}

// walk adds the mutants of everything under a node.
func (c *changer) walk(root ast.Node) {
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			return c.call(n)
		case *ast.ReturnStmt:
			c.deletion(n)
			for _, x := range results(n) {
				c.walk(x)
			}
			return false
		case *ast.IfStmt:
			if onlyPanics(n.Body) {
				// It guards against what cannot happen, so no input gets there.
				return false
			}
			c.condition(n.Cond, true)
		case *ast.ForStmt:
			if n.Cond != nil {
				c.condition(n.Cond, false) // true hangs
			}
		case *ast.SwitchStmt:
			if n.Tag == nil {
				for _, clause := range n.Body.List {
					for _, cond := range clause.(*ast.CaseClause).List {
						c.condition(cond, true)
					}
				}
			}
		case *ast.ArrayType:
			if lit, ok := n.Len.(*ast.BasicLit); ok && lit.Kind == token.INT {
				c.number(lit, -1) // room for one more is never used
				c.walk(n.Elt)
				return false
			}
		default:
			c.operator(n)
			c.constant(n)
			c.deletion(n)
		}
		return true
	})
}

// results returns what a statement returns but for a 0 beside an error or false, which
// stands for no result.
func results(n *ast.ReturnStmt) (list []ast.Expr) {
	failed := len(n.Results) > 1 && fails(n.Results[len(n.Results)-1])
	for _, x := range n.Results {
		if lit, ok := x.(*ast.BasicLit); !failed || !ok || lit.Value != "0" {
			list = append(list, x)
		}
	}
	return list
}

// fails reports whether an expression is false, or an error that is not nil.
func fails(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name == "false" || x.Name == "err"
	case *ast.CallExpr:
		f, ok := x.Fun.(*ast.SelectorExpr)
		return ok && (f.Sel.Name == "Errorf" || f.Sel.Name == "New")
	}
	return false
}

// call deals with calls whose arguments are no mutants, and returns false for them.
func (c *changer) call(n *ast.CallExpr) bool {
	switch c.textOf(n.Fun) {
	case "panic":
		return false // what nobody can cause, or its text
	case "slices.Grow":
		c.walk(n.Args[0]) // see below
		return false
	case "make":
		// How much memory is taken beforehand does not matter: the capacity of a
		// slice, and the size of a map.
		size := n.Args[1:]
		if _, isMap := n.Args[0].(*ast.MapType); isMap {
			size = nil
		}
		for _, arg := range size[:min(1, len(size))] {
			c.walk(arg)
		}
		return false
	}
	return true
}

func onlyPanics(b *ast.BlockStmt) bool {
	if len(b.List) != 1 {
		return false
	}
	s, ok := b.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := s.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	f, ok := call.Fun.(*ast.Ident)
	return ok && f.Name == "panic"
}

// operators has what takes the place of each operator: the other ones that a slip could
// have written.
func operators(t token.Token) []token.Token {
	switch t {
	case token.EQL:
		return []token.Token{token.NEQ}
	case token.NEQ:
		return []token.Token{token.EQL}
	case token.LSS:
		return []token.Token{token.LEQ, token.GEQ}
	case token.LEQ:
		return []token.Token{token.LSS, token.GTR}
	case token.GTR:
		return []token.Token{token.GEQ, token.LEQ}
	case token.GEQ:
		return []token.Token{token.GTR, token.LSS}
	case token.LAND:
		return []token.Token{token.LOR}
	case token.LOR:
		return []token.Token{token.LAND}
	case token.ADD:
		return []token.Token{token.SUB}
	case token.SUB:
		return []token.Token{token.ADD}
	case token.MUL:
		return []token.Token{token.QUO}
	case token.QUO, token.REM:
		return []token.Token{token.MUL}
	case token.OR: // ^ is the same where no bit is on both sides, as is usual
		return []token.Token{token.AND}
	case token.AND:
		return []token.Token{token.OR, token.AND_NOT}
	case token.XOR:
		return []token.Token{token.AND, token.OR}
	case token.AND_NOT:
		return []token.Token{token.AND}
	case token.SHL:
		return []token.Token{token.SHR}
	case token.SHR:
		return []token.Token{token.SHL}
	case token.ADD_ASSIGN:
		return []token.Token{token.SUB_ASSIGN}
	case token.SUB_ASSIGN:
		return []token.Token{token.ADD_ASSIGN}
	case token.OR_ASSIGN:
		return []token.Token{token.AND_ASSIGN}
	case token.AND_ASSIGN:
		return []token.Token{token.OR_ASSIGN}
	case token.XOR_ASSIGN:
		return []token.Token{token.OR_ASSIGN}
	case token.AND_NOT_ASSIGN:
		return []token.Token{token.AND_ASSIGN}
	case token.SHL_ASSIGN:
		return []token.Token{token.SHR_ASSIGN}
	case token.SHR_ASSIGN:
		return []token.Token{token.SHL_ASSIGN}
	case token.INC:
		return []token.Token{token.DEC}
	case token.DEC:
		return []token.Token{token.INC}
	}
	return nil
}

// operator adds the mutants of a node's operator.
func (c *changer) operator(n ast.Node) {
	var at token.Pos
	var op token.Token
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if !joinsText(n) { // text has no other operator
			at, op = n.OpPos, n.Op
		}
	case *ast.AssignStmt:
		at, op = n.TokPos, n.Tok
	case *ast.IncDecStmt:
		at, op = n.TokPos, n.Tok
	case *ast.UnaryExpr:
		if n.Op == token.NOT || n.Op == token.XOR || n.Op == token.SUB {
			c.change(n.OpPos, n.OpPos+1, "")
		}
		return
	}
	for _, other := range operators(op) {
		c.change(at, at+token.Pos(len(op.String())), other.String())
	}
}

func joinsText(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.BinaryExpr:
		return x.Op == token.ADD && (joinsText(x.X) || joinsText(x.Y))
	case *ast.BasicLit:
		return x.Kind == token.STRING
	}
	return false
}

// constant adds the mutants of a node that is a constant. Text is none: nothing but
// people goes by what errors and warnings say.
func (c *changer) constant(n ast.Node) {
	switch n := n.(type) {
	case *ast.BasicLit:
		if n.Kind == token.INT {
			c.number(n, -1)
			c.number(n, +1)
		}
	case *ast.Ident:
		switch n.Name {
		case "true":
			c.replace(n, "false")
		case "false":
			c.replace(n, "true")
		}
	}
}

// number adds the mutant of a constant that is one more or less, and not negative.
func (c *changer) number(lit *ast.BasicLit, by int) {
	v, err := strconv.ParseUint(lit.Value, 0, 64)
	if err != nil || v == 0 && by < 0 {
		return
	}
	format := "%d"
	if strings.HasPrefix(lit.Value, "0x") {
		format = "%#x"
	}
	c.replace(lit, fmt.Sprintf(format, v+uint64(by)))
}

// condition adds the mutants of a condition as a whole. The opposite of a comparison is
// another operator.
func (c *changer) condition(x ast.Expr, orTrue bool) {
	c.replace(x, "false")
	if orTrue {
		c.replace(x, "true")
	}
	switch x := x.(type) {
	case *ast.BinaryExpr:
		if x.Op != token.LAND && x.Op != token.LOR {
			return
		}
	case *ast.UnaryExpr:
		return
	}
	c.replace(x, "!("+c.textOf(x)+")")
}

func (c *changer) textOf(n ast.Node) string {
	return c.text[c.file.Offset(n.Pos()):c.file.Offset(n.End())]
}

// deletion adds the mutant without a statement. Where the others need it, it does not
// compile.
func (c *changer) deletion(n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			c.replace(n, "")
		}
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.BranchStmt, *ast.ReturnStmt:
		c.replace(n, "")
	}
}

func (c *changer) replace(n ast.Node, text string) { c.change(n.Pos(), n.End(), text) }

// change adds the mutant with other text from one place to another.
func (c *changer) change(from, to token.Pos, text string) {
	m := &mutant{file: c.name, line: c.file.Line(from), from: c.file.Offset(from), to: c.file.Offset(to), text: text, body: c.body}
	last := c.file.Line(to)
	start := c.first(m.line, last)
	end := len(c.text)
	if last < c.file.LineCount() {
		end = c.file.Offset(c.file.LineStart(last + 1))
	}
	m.entry = entry{
		pkg:      c.pkg,
		function: c.function,
		before:   squeeze(c.text[start:end]),
		after:    squeeze(c.text[start:m.from] + text + c.text[m.to:end]),
	}
	c.list = append(c.list, m)
}

// first returns where the text of some lines begins that its function has only once: with
// as many lines before them as that takes.
func (c *changer) first(line, last int) (offset int) {
	lines := strings.Split(c.text[c.body.from:c.body.to], "\n")
	for i := range lines {
		lines[i] = squeeze(lines[i])
	}
	top := c.file.Line(c.file.Pos(c.body.from)) // of lines[0]
	for ; c.body.to > 0 && line > top; line-- {
		own := lines[line-top : last-top+1]
		count := 0
		for i := range len(lines) - len(own) + 1 {
			if slices.Equal(lines[i:i+len(own)], own) {
				count++
			}
		}
		if count == 1 {
			break
		}
	}
	return c.file.Offset(c.file.LineStart(line))
}

// squeeze makes one line of some.
func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }
