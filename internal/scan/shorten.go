package scan

// A lateEdge is what a function leads to because of more than its code: of a configuration,
// names that it makes up, libraries that are loaded later. Explore follows it when the function
// was expanded long before.
type lateEdge struct {
	to  target
	how string
}

// visitLate reaches something as visit does, and notes it for shorten.
func (p *program) visitLate(t target, from fid, how string) {
	p.late[from] = append(p.late[from], lateEdge{t, how})
	p.visit(t, from, how, true)
}

func (p *program) visitLateOf(from fid) {
	for _, e := range p.late[from] {
		p.visit(e.to, from, e.how, true)
	}
}

// shorten searches once more, now that all modules, conditions, types and late edges are known,
// so that the parents of a function are a shortest way to it. What is reached stays reached.
func (p *program) shorten() {
	before := make([][]node, len(p.modules))
	for i, m := range p.modules {
		before[i] = append([]node(nil), m.nodes...)
		for fn := range m.nodes {
			m.nodes[fn].reached = false
		}
		clear(m.walked)
		clear(m.exact)
	}
	clear(p.golang.types)
	p.golang.reached = nil
	p.again = true
	p.roots(p.modules)
	p.visitLateOf(none)
	p.drain()
	for i, m := range p.modules {
		for fn := range m.nodes {
			if old := &before[i][fn]; old.reached && !m.nodes[fn].reached {
				m.nodes[fn] = *old
			}
		}
	}
}
