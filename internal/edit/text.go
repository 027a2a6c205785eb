package edit

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/internal/document"
)

// A plan is how the text of a profile changes. What it is not about stays as it was written.
type plan struct {
	drop  map[*entry][]string // names to take out of entries
	into  *entry              // which gets the names
	names []string
	split map[*entry][]rule // to add behind entries, or in the place of those without names left
	rules []rule            // to add at the end
	// restated are calls with a rule for ENOSYS, which they got without one.
	restated []string
}

// take plans to take names out of an entry.
func (p *plan) take(e *entry, names ...string) {
	if p.drop == nil {
		p.drop = make(map[*entry][]string)
	}
	p.drop[e] = append(p.drop[e], names...)
}

// text returns the profile with a plan carried out.
func (p *profile) text(plan *plan) []byte {
	var edits []document.Edit
	root := p.doc.Lookup(p.at)
	entries := root.Member("syscalls")
	gone := make(map[int]bool)
	for i, e := range p.entries {
		dropped := plan.drop[e]
		empty := !slices.ContainsFunc(e.names, func(name string) bool { return !slices.Contains(dropped, name) })
		switch {
		case dropped == nil:
			continue
		case !empty:
			edits = append(edits, e.list.Rewrite(func(i int) bool { return slices.Contains(dropped, e.names[i]) }, nil)...)
		case plan.split[e] == nil:
			gone[i] = true
		}
		if rules := plan.split[e]; rules != nil {
			edits = append(edits, entries.Follow(i, empty, laidOut(e.value, rules)))
		}
	}
	if plan.into != nil {
		edits = append(edits, plan.into.insert(plan.names)...)
	}
	like := root
	if len(p.entries) > 0 {
		like = p.entries[0].value
	}
	added := laidOut(like, plan.rules)
	edits = append(edits, put(root, "syscalls", func(i int) bool { return gone[i] }, added)...)
	return p.apply(edits)
}

// laidOut returns the text of rules in the layout of an entry.
func laidOut(like document.Value, rules []rule) (texts []string) {
	for i := range rules {
		texts = append(texts, like.LaidOut(rules[i].json()))
	}
	return texts
}

// apply returns the text with edits, and with its byte order mark.
func (p *profile) apply(edits []document.Edit) []byte {
	text := p.doc.Apply(edits)
	if mark := []byte("\ufeff"); bytes.HasPrefix(p.source.Data(), mark) {
		text = append(mark, text...)
	}
	return text
}

// put returns the edits that change the elements of a list, which an object may lack.
func put(object document.Value, key string, drop func(int) bool, added []string) []document.Edit {
	list := "[" + strings.Join(added, ", ") + "]"
	switch v := object.Member(key); {
	case v.Kind() == document.Array:
		return v.Rewrite(drop, added)
	case len(added) == 0:
		return nil
	case v.Exists(): // null
		return []document.Edit{v.Replace(list)}
	}
	return object.Rewrite(func(int) bool { return false }, []string{strconv.Quote(key) + ": " + list})
}

// insert returns the edits that add names to the list of an entry: each at its place if the
// list is sorted, as people sort long ones, else at the end.
func (e *entry) insert(names []string) (edits []document.Edit) {
	names = slices.Clone(names)
	slices.SortFunc(names, alphabetical)
	disorder := 0 // names that do not come before the next one
	for i := 1; i < len(e.names); i++ {
		if alphabetical(e.names[i-1], e.names[i]) > 0 {
			disorder++
		}
	}
	at := func(name string) int {
		i := slices.IndexFunc(e.names, func(other string) bool { return alphabetical(other, name) > 0 })
		if i < 0 || 20*disorder > len(e.names) {
			return len(e.names)
		}
		return i
	}
	for len(names) > 0 {
		i, n := at(names[0]), 1
		for n < len(names) && at(names[n]) == i {
			n++
		}
		var quoted []string
		for _, name := range names[:n] {
			quoted = append(quoted, strconv.Quote(name))
		}
		edits = append(edits, e.list.Insert(i, quoted)...)
		names = names[n:]
	}
	return edits
}

// alphabetical compares names as Docker's default profile has them: underscores come last.
func alphabetical(a, b string) int {
	letters := func(s string) string { return strings.ReplaceAll(s, "_", "") }
	return cmp.Or(strings.Compare(letters(a), letters(b)), strings.Compare(a, b))
}
