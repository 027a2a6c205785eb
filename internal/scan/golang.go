package scan

import "strings"

// golang is what is reached of a Go program's types. A method of a type can run once a value
// of it can be in an interface that has the method, or once reflect can ask for it by name:
// rapid type analysis (Bacon and Sweeney, OOPSLA 1996), as Go's own linker does it.
type golang struct {
	types   map[goType]fid        // who refers to it first
	reached []goType              // in the order in which they were
	wants   map[wantedMethod]bool // of interfaces
	asks    bool                  // reflect looks for methods by name
	changed bool
}

// A goType is a type by its index in its module.
type goType struct{ mod, index int }

// A wantedMethod is what makes a call through an interface find a method.
type wantedMethod struct {
	mod  int
	name string
	typ  uint64
}

// goType notes that a type or an itab at an address is reached.
func (p *program) goType(m *module, addr uint64, from fid) {
	if i, ok := m.types[addr]; ok {
		p.addType(m, i, from)
	}
	if i, ok := m.itabs[addr]; ok {
		tab := &m.file.Go.Itabs[i]
		for _, addr := range [...]uint64{tab.Type, tab.Interface} {
			if i, ok := m.types[addr]; ok {
				p.addType(m, i, from)
			}
		}
	}
}

// addType notes that a type is reached, and those that reflect finds from it.
func (p *program) addType(m *module, index int, from fid) {
	g := &p.golang
	if g.types == nil {
		g.types, g.wants = make(map[goType]fid), make(map[wantedMethod]bool)
	}
	stack := []int{index}
	for len(stack) > 0 {
		t := goType{m.index, stack[len(stack)-1]}
		stack = stack[:len(stack)-1]
		if _, ok := g.types[t]; ok {
			continue
		}
		g.types[t], g.changed = from, true
		g.reached = append(g.reached, t)
		if p.again {
			p.goMethodsOf(t)
		}
		typ := &m.file.Go.Types[t.index]
		for _, w := range typ.Wants {
			g.wants[wantedMethod{m.index, w.Name, w.Type}] = true
		}
		for _, addr := range typ.Refers {
			if i, ok := m.types[addr]; ok {
				stack = append(stack, i)
			}
		}
	}
}

// goMethods reaches the methods that the types reached so far make possible. What reflect
// calls by name gives it values of further types.
func (p *program) goMethods() {
	g := &p.golang
	for g.changed {
		g.changed = false
		for _, t := range g.reached {
			p.goMethodsOf(t)
		}
	}
}

func (p *program) goMethodsOf(t goType) {
	g, m := &p.golang, p.modules[t.mod]
	typ := &m.file.Go.Types[t.index]
	for _, method := range typ.Methods {
		asked := g.asks && method.Exported
		if !asked && !g.wants[wantedMethod{m.index, method.Name, method.Type}] {
			continue
		}
		if i, ok := m.types[method.Type]; ok && asked {
			p.addType(m, i, g.types[t])
		}
		if fn, ok := m.fn(method.Func); ok {
			p.reachFunc(fid{int32(m.index), int32(fn)}, g.types[t], "method of "+typ.Name, true)
		}
	}
}

// asksForMethods reports whether a function of reflect finds methods by name or number.
func asksForMethods(name string) bool {
	return strings.HasPrefix(name, "reflect.") && (strings.HasSuffix(name, ".Method") || strings.HasSuffix(name, ".MethodByName"))
}
