package main

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// exports returns a line for each name that a package exports, and for each exported
// field and method of its types, without the package.
func exports(pkg *types.Package) []string {
	var lines []string
	p := printer{pkg}
	for _, name := range pkg.Scope().Names() {
		if obj := pkg.Scope().Lookup(name); obj.Exported() {
			lines = append(lines, p.object(obj)...)
		}
	}
	return lines
}

// A printer writes types as its package sees them.
type printer struct{ pkg *types.Package }

func (p printer) object(obj types.Object) []string {
	switch obj := obj.(type) {
	case *types.Const:
		return []string{fmt.Sprintf("const %s %s = %s", obj.Name(), p.text(obj.Type()), obj.Val().ExactString())}
	case *types.Var:
		return []string{fmt.Sprintf("var %s %s", obj.Name(), p.text(obj.Type()))}
	case *types.Func:
		return []string{"func " + obj.Name() + p.signature(obj.Signature())}
	case *types.TypeName:
		return p.typeName(obj)
	}
	panic("BUG: an object that is not a constant, variable, function or type: " + obj.String())
}

func (p printer) typeName(obj *types.TypeName) []string {
	if alias, ok := obj.Type().(*types.Alias); ok {
		head := fmt.Sprintf("type %s%s = %s", obj.Name(), p.params(alias.TypeParams()), p.text(alias.Rhs()))
		if named, ok := types.Unalias(alias).(*types.Named); ok && hidden(named.Obj()) {
			return append([]string{head}, p.members(obj.Name(), named)...)
		}
		return []string{head}
	}
	named, ok := obj.Type().(*types.Named)
	if !ok {
		return []string{fmt.Sprintf("type %s %s", obj.Name(), p.text(obj.Type()))}
	}
	kind := p.text(named.Underlying())
	switch u := named.Underlying().(type) {
	case *types.Struct:
		kind = "struct"
	case *types.Interface:
		if u.IsMethodSet() {
			kind = "interface {" + interfaceMethods(u) + "}"
		}
	}
	head := fmt.Sprintf("type %s%s %s", obj.Name(), p.params(named.TypeParams()), kind)
	return append([]string{head}, p.members(obj.Name(), named)...)
}

// hidden reports whether only an alias lets other modules name a type.
func hidden(obj *types.TypeName) bool {
	return obj.Pkg() != nil && (!obj.Exported() || slices.Contains(strings.Split(obj.Pkg().Path(), "/"), "internal"))
}

// interfaceMethods lists the names of methods: who implements an interface must have
// all of them, so one more is a change of the type.
func interfaceMethods(t *types.Interface) string {
	var names []string
	for m := range t.Methods() {
		if m.Exported() {
			names = append(names, m.Name())
		}
	}
	if len(names) < t.NumMethods() {
		names = append(names, "unexported methods")
	}
	if len(names) == 0 {
		return ""
	}
	return " " + strings.Join(names, ", ") + " "
}

// members returns the fields and methods of a type, those of what it embeds included.
func (p printer) members(name string, named *types.Named) []string {
	var lines []string
	switch u := named.Underlying().(type) {
	case *types.Struct:
		for _, field := range p.fields(u, nil) {
			lines = append(lines, "type "+name+" struct, "+field)
		}
	case *types.Interface:
		for m := range u.Methods() {
			if m.Exported() {
				lines = append(lines, "type "+name+" interface, "+m.Name()+p.signature(m.Signature()))
			}
		}
		return lines
	}
	byValue := types.NewMethodSet(named)
	for sel := range types.NewMethodSet(types.NewPointer(named)).Methods() {
		m := sel.Obj().(*types.Func)
		if !m.Exported() {
			continue
		}
		star := "*"
		if byValue.Lookup(m.Pkg(), m.Name()) != nil {
			star = ""
		}
		lines = append(lines, fmt.Sprintf("method (%s%s%s) %s%s", star, name, typeArgs(m, sel.Index()), m.Name(), p.signature(m.Signature())))
	}
	return lines
}

// typeArgs returns the names that a method gives its receiver's type parameters, if
// the method is not promoted.
func typeArgs(m *types.Func, index []int) string {
	var names []string
	if len(index) == 1 {
		for t := range m.Signature().RecvTypeParams().TypeParams() {
			names = append(names, t.Obj().Name())
		}
	}
	if names == nil {
		return ""
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// fields returns the exported fields of a struct, and those that it has from embedded
// structs whose own names are unexported.
func (p printer) fields(s *types.Struct, within []*types.Struct) []string {
	var lines []string
	for f := range s.Fields() {
		switch {
		case f.Exported() && f.Embedded():
			lines = append(lines, "embedded "+p.text(f.Type()))
		case f.Exported():
			lines = append(lines, f.Name()+" "+p.text(f.Type()))
		case f.Embedded():
			t := f.Type()
			if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
				t = pointer.Elem()
			}
			if inner, ok := t.Underlying().(*types.Struct); ok && !slices.Contains(within, inner) {
				lines = append(lines, p.fields(inner, append(within, s))...)
			}
		}
	}
	return lines
}

// params returns type parameters with their constraints, in brackets.
func (p printer) params(list *types.TypeParamList) string {
	var out []string
	for t := range list.TypeParams() {
		out = append(out, t.Obj().Name()+" "+p.text(t.Constraint()))
	}
	if out == nil {
		return ""
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func (p printer) signature(sig *types.Signature) string {
	return p.params(sig.TypeParams()) + strings.TrimPrefix(p.text(sig), "func")
}

// text returns a type as a caller writes it, with the names of packages and without
// the names of parameters, which may change.
func (p printer) text(t types.Type) string {
	return types.TypeString(anonymous(t), func(other *types.Package) string {
		if other == p.pkg {
			return ""
		}
		return other.Name()
	})
}

// anonymous returns a type without the names of functions' parameters.
func anonymous(t types.Type) types.Type {
	switch t := t.(type) {
	case *types.Signature:
		return types.NewSignatureType(nil, nil, nil, unnamed(t.Params()), unnamed(t.Results()), t.Variadic())
	case *types.Pointer:
		return types.NewPointer(anonymous(t.Elem()))
	case *types.Slice:
		return types.NewSlice(anonymous(t.Elem()))
	case *types.Array:
		return types.NewArray(anonymous(t.Elem()), t.Len())
	case *types.Map:
		return types.NewMap(anonymous(t.Key()), anonymous(t.Elem()))
	case *types.Chan:
		return types.NewChan(t.Dir(), anonymous(t.Elem()))
	}
	return t
}

func unnamed(list *types.Tuple) *types.Tuple {
	var vars []*types.Var
	for v := range list.Variables() {
		vars = append(vars, types.NewParam(v.Pos(), v.Pkg(), "", anonymous(v.Type())))
	}
	return types.NewTuple(vars...)
}
