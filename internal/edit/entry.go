package edit

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// An entry is one of a profile's syscalls, as its text has it.
type entry struct {
	value   document.Value
	pointer string
	list    document.Value // of names, absent in entries with a single name
	names   []string
	tests   bool // arguments
	remarks bool // a comment says what the entry is about
	guard   guard
	in      []*context  // where the entry holds
	action  cbpf.Action // with data, as the first of them has it
}

// A guard is when an entry of a conditional format holds.
type guard struct {
	Includes condition `json:"includes"`
	Excludes condition `json:"excludes"`
}

// A condition is what a guard asks for or rules out.
type condition struct {
	Caps      []string `json:"caps,omitempty"`
	Arches    []string `json:"arches,omitempty"`
	MinKernel string   `json:"minKernel,omitempty"`
}

func (c *condition) empty() bool { return len(c.Caps)+len(c.Arches)+len(c.MinKernel) == 0 }

func (g *guard) empty() bool { return g.Includes.empty() && g.Excludes.empty() }

func (g *guard) equal(h *guard) bool {
	same := func(c, d *condition) bool {
		return slices.Equal(c.Caps, d.Caps) && slices.Equal(c.Arches, d.Arches) && c.MinKernel == d.MinKernel
	}
	return same(&g.Includes, &h.Includes) && same(&g.Excludes, &h.Excludes)
}

// entriesOf returns the entries of a profile at a place in its document. Its reader has
// accepted, or will refuse, what they are.
func entriesOf(doc *document.Document, at string) (list []*entry) {
	for i, v := range doc.Lookup(at + "/syscalls").Elements() {
		e := &entry{value: v, pointer: at + "/syscalls/" + strconv.Itoa(i), list: v.Member("names")}
		e.names = texts(e.list)
		if name := v.Member("name").Text(); name != "" {
			e.names, e.list = []string{name}, document.Value{}
		}
		for range v.Member("args").Elements() {
			e.tests = true
		}
		e.remarks = v.Member("comment").Text() != ""
		e.guard = guard{conditionOf(v.Member("includes")), conditionOf(v.Member("excludes"))}
		list = append(list, e)
	}
	return list
}

func conditionOf(v document.Value) condition {
	return condition{texts(v.Member("caps")), texts(v.Member("arches")), v.Member("minKernel").Text()}
}

func texts(list document.Value) (words []string) {
	for _, v := range list.Elements() {
		words = append(words, v.Text())
	}
	return words
}

// see notes what the contexts say of the entries.
func (p *profile) see() {
	at := make(map[string]*entry)
	for _, e := range p.entries {
		at[e.pointer] = e
	}
	for _, c := range p.contexts {
		for i := range c.policy.Rules {
			r := &c.policy.Rules[i]
			e := at[r.Pointer]
			if e.in == nil {
				e.action = word(r.Action, r.Errno)
			}
			e.in = append(e.in, c)
		}
	}
}

// word returns an action with its data.
func word(class cbpf.Action, data *uint) cbpf.Action {
	switch carries := class == cbpf.ErrnoClass || class == cbpf.TraceClass; {
	case !carries:
		return class
	case data == nil:
		return class | 1 // EPERM
	default:
		return class | cbpf.Action(*data&0xffff)
	}
}

// has reports whether an entry names a call.
func (e *entry) has(call syscalltables.Call) bool { return slices.Contains(e.names, call.Name()) }

// always reports whether an entry gives its calls an action whatever their arguments, in
// every context.
func (e *entry) always(a cbpf.Action) bool {
	return e.in != nil && !e.tests && e.guard.empty() && e.action == a
}

// A rule is an entry to add.
type rule struct {
	listing.Rule
	names   []string
	guard   guard
	comment string
}

// json returns the entry.
func (r *rule) json() []byte {
	one := policy.Rule{Names: r.names, Args: r.Args, Action: r.Action.Class(), Comment: r.comment}
	if one.Action == cbpf.ErrnoClass || one.Action == cbpf.TraceClass {
		data := uint(r.Action.Data())
		one.Errno = &data
	}
	spec, err := oci.Spec(&policy.Policy{Default: cbpf.Allow, Rules: []policy.Rule{one}})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	text := struct {
		specs.LinuxSyscall
		Comment  string     `json:"comment,omitempty"`
		Includes *condition `json:"includes,omitempty"`
		Excludes *condition `json:"excludes,omitempty"`
	}{LinuxSyscall: spec.Syscalls[0], Comment: r.comment}
	if !r.guard.Includes.empty() {
		text.Includes = &r.guard.Includes
	}
	if !r.guard.Excludes.empty() {
		text.Excludes = &r.guard.Excludes
	}
	data, err := json.Marshal(text)
	if err != nil {
		panic("BUG: an entry has no JSON: " + err.Error())
	}
	return data
}
