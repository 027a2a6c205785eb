package record

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// An Edit is fixes of the text of a profile in any format. What they are not about stays as
// it was written.
type Edit struct {
	doc     *document.Document
	mark    []byte // in front of the text
	at      string // pointer of the profile
	row     *Row   // nil if ABIs go to architectures
	removed []string
	abis    []arch.ABI
	allowed []string      // calls to allow
	other   []policy.Rule // to add
}

// NewEdit returns the edit that changes nothing of the profile that was read from a source.
func NewEdit(s *language.Source, p *policy.Policy) (*Edit, error) {
	if lint.Foreign(p) {
		return nil, errForeign
	}
	doc, err := s.JSON()
	if err != nil {
		return nil, err
	}
	if !doc.Original() || doc.Root().Member("apiVersion").Exists() { // YAML, or an object of Kubernetes
		return nil, errForeign
	}
	e := &Edit{doc: doc, at: p.Pointer, row: rowOf(p)}
	if mark := []byte("\ufeff"); bytes.HasPrefix(s.Data(), mark) {
		e.mark = mark
	}
	return e, nil
}

// Can reports whether the edit can do what a fix says. A profile with an archMap that its
// reader ignores cannot have architectures, too.
func (e *Edit) Can(fix *Fix) bool {
	return len(fix.ABIs) == 0 || e.row != nil || !e.doc.Lookup(e.at+"/archMap").Present()
}

// Add adds what a fix says.
func (e *Edit) Add(fix *Fix) {
	e.removed = append(e.removed, fix.Remove...)
	for _, abi := range fix.ABIs {
		if !slices.Contains(e.abis, abi) {
			e.abis = append(e.abis, abi)
		}
	}
	for _, rule := range fix.Rules {
		same := func(r policy.Rule) bool { return slices.Equal(r.Names, rule.Names) && slices.Equal(r.Args, rule.Args) }
		switch {
		case rule.Action == cbpf.Allow && len(rule.Args) == 0:
			e.allowed = append(e.allowed, rule.Names...)
		case !slices.ContainsFunc(e.other, same):
			e.other = append(e.other, rule)
		}
	}
	slices.Sort(e.allowed)
	e.allowed = slices.Compact(e.allowed)
}

// ABIs returns the architectures to add.
func (e *Edit) ABIs() []arch.ABI { return e.abis }

// Rules returns the rules to add.
func (e *Edit) Rules() []policy.Rule {
	if e.allowed == nil {
		return e.other
	}
	return slices.Concat([]policy.Rule{{Names: e.allowed, Action: cbpf.Allow}}, e.other)
}

// Text returns the changed text. The ABI is the machine's, which a profile need not list
// unless it lists others.
func (e *Edit) Text(machine arch.ABI) []byte {
	none := func(int) bool { return false }
	profile := e.doc.Lookup(e.at)
	dropped := e.drops()
	var edits []document.Edit
	// put returns the member that an object lacks.
	put := func(object document.Value, key string, drop func(int) bool, values []string) (lacking []string) {
		switch list := object.Member(key); {
		case list.Kind() == document.Array:
			edits = append(edits, list.Rewrite(drop, values)...)
		case len(values) == 0:
		case list.Exists(): // null
			edits = append(edits, list.Replace("["+strings.Join(values, ", ")+"]"))
		default:
			return []string{strconv.Quote(key) + ": [" + strings.Join(values, ", ") + "]"}
		}
		return nil
	}
	var members []string
	switch {
	case len(e.abis) == 0:
	case e.row == nil:
		members = put(profile, "architectures", none, quoted(e.architectures(machine)))
	case e.row.New():
		edits = profile.Member("archMap").Rewrite(none, []string{e.row.Text(e.abis)})
	default:
		row := e.doc.Lookup(e.row.Pointer)
		if lacking := put(row, "subArchitectures", none, quoted(e.abis)); lacking != nil {
			edits = row.Rewrite(none, lacking)
		}
	}
	members = append(members, put(profile, "syscalls", func(i int) bool { return slices.Contains(dropped[e.at+"/syscalls"], i) }, e.texts())...)
	delete(dropped, e.at+"/syscalls")
	for pointer, indices := range dropped {
		edits = append(edits, e.doc.Lookup(pointer).Rewrite(func(i int) bool { return slices.Contains(indices, i) }, nil)...)
	}
	if members != nil {
		edits = append(edits, profile.Rewrite(none, members)...)
	}
	return append(slices.Clone(e.mark), e.doc.Apply(edits)...)
}

// architectures returns what to add to the list: to an empty one the machine's ABI, too.
func (e *Edit) architectures(machine arch.ABI) []arch.ABI {
	for range e.doc.Lookup(e.at + "/architectures").Elements() {
		return e.abis
	}
	if slices.Contains(e.abis, machine) {
		return e.abis
	}
	return append([]arch.ABI{machine}, e.abis...)
}

// drops returns which elements go, by the pointer of their list. A rule without names goes,
// too.
func (e *Edit) drops() map[string][]int {
	drops := make(map[string][]int)
	drop := func(pointer string) {
		list, last := pointer[:strings.LastIndexByte(pointer, '/')], pointer[strings.LastIndexByte(pointer, '/')+1:]
		if i, err := strconv.Atoi(last); err == nil && !slices.Contains(drops[list], i) {
			drops[list] = append(drops[list], i)
		}
	}
	for _, pointer := range e.removed {
		drop(pointer)
	}
	for pointer, indices := range drops {
		left := 0
		for range e.doc.Lookup(pointer).Elements() {
			left++
		}
		if rule, ok := strings.CutSuffix(pointer, "/names"); ok && left == len(indices) {
			drop(rule)
		}
	}
	return drops
}

// texts returns the rules to add as JSON, laid out like the first one of the profile.
func (e *Edit) texts() (list []string) {
	first := e.doc.Lookup(e.at + "/syscalls/0")
	for _, rule := range (&Fix{Rules: e.Rules()}).OCI() {
		text, err := json.Marshal(rule)
		if err != nil {
			panic("BUG: a rule has no JSON: " + err.Error())
		}
		list = append(list, first.LaidOut(text))
	}
	return list
}
