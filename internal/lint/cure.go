package lint

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/syscalltables"
)

// A cure is what a mechanical fix changes in the document.
type cure struct {
	// same says that the filter of this target stays the same.
	same   bool
	drop   []string          // pointers of members and elements
	set    map[string]string // JSON by the pointer of the value that it replaces
	rename map[string]string // keys by the pointers of those that they replace
	// allow and enosys are calls to add in rules of their own.
	allow, enosys []string
	errno         uint16 // the number of ENOSYS
	done          string // what is done, if it is not the first that the finding's Fix says
}

// Fixable reports whether [Fix] cures the finding.
func (f *Finding) Fixable() bool { return f.cure != nil && (f.Severity > Note || f.cure.same) }

// Done says what [Fix] does about the finding.
func (f *Finding) Done() string {
	if f.cure != nil && f.cure.done != "" {
		return f.cure.done
	}
	first, _, _ := strings.Cut(f.Fix, ", or ")
	return first
}

// allow returns the cure that allows calls, nil if a rule for one of them depends on the
// target. Rules that deny them give way.
func (r *reviewer) allow(calls []string) *cure {
	c := &cure{allow: calls}
	for _, call := range calls {
		if !r.forget(c, call) {
			return nil
		}
	}
	return c
}

// enosys returns the cure that answers a call with ENOSYS, whatever its rules say now.
func (r *reviewer) enosys(a arch.ABI, call string) *cure {
	c := &cure{enosys: []string{call}}
	c.errno, _ = a.Errno("ENOSYS")
	if !r.forget(c, call) {
		return nil
	}
	return c
}

// forget drops a call from all rules. ok is false if one of them depends on the target.
func (r *reviewer) forget(c *cure, call string) (ok bool) {
	for i, rule := range r.profile().Member("syscalls").Elements() {
		at := element(r.Policy.Pointer+"/syscalls", i)
		has := rule.Member("name").Text() == call
		if has {
			c.drop = append(c.drop, at)
		}
		for j, name := range rule.Member("names").Elements() {
			if name.Text() == call {
				has = true
				c.drop = append(c.drop, element(at+"/names", j))
			}
		}
		if has && depends(rule) {
			return false
		}
	}
	return true
}

// depends reports whether a rule holds for some targets only.
func depends(rule document.Value) bool {
	return rule.Member("includes").Present() || rule.Member("excludes").Present()
}

// simpleCure returns the cure of a kind of finding that needs nothing but the place, and
// does not change the filter; nil if there is none.
func (r *reviewer) simpleCure(f *Finding) *cure {
	if r.doc == nil {
		if f.ID == "syntax" && strings.HasPrefix(f.Reason, "a comma before") {
			return &cure{}
		}
		return nil
	}
	switch f.ID {
	case "letter-case":
		if key, ok := strings.CutPrefix(f.Fix, "write "); ok && f.Pointer != "" {
			return &cure{same: true, rename: map[string]string{f.Pointer: key}}
		}
	case "ignored-errno":
		at := f.Pointer
		if !r.doc.Lookup(at).Exists() {
			at = strings.TrimSuffix(at, "Ret") // Podman's key for the name of an error
		}
		return &cure{same: true, drop: []string{at}}
	case "unused-value":
		return &cure{same: true, drop: []string{f.Pointer}}
	case "unused-metadata":
		return &cure{same: true, drop: []string{f.Pointer}, done: "remove listenerMetadata"}
	case "listener", "unsupported-arch":
		if strings.HasPrefix(f.Fix, "remove") && (f.ID == "listener" || strings.HasPrefix(f.Fix, "remove it")) {
			return &cure{same: true, drop: []string{f.Pointer}}
		}
	case "no-names":
		return &cure{same: true, drop: []string{strings.TrimSuffix(f.Pointer, "/names")}, done: "remove the rule"}
	case "duplicate":
		if rule := parent(parent(f.Pointer)); !depends(r.doc.Lookup(rule)) && !r.conditional(r.doc.Lookup(f.Pointer).Text()) {
			return &cure{same: true, drop: []string{f.Pointer}}
		}
	case "invalid":
		number, _ := strings.CutPrefix(f.Fix, "write ")
		number = strings.TrimSuffix(number, " without quotes")
		if _, err := strconv.ParseUint(number, 10, 64); err == nil && r.doc.Lookup(f.Pointer).Kind() == document.String {
			return &cure{set: map[string]string{f.Pointer: number}}
		}
	}
	return nil
}

// number returns the number of a call that has one on an ABI.
func number(a arch.ABI, name string) uint32 {
	call, _ := syscalltables.Lookup(name)
	nr, _ := call.Number(a)
	return nr
}

// Edits returns the edits of the text with which [Fix] cures a finding of the report, or
// none.
func (r *Report) Edits(f *Finding) []document.Edit {
	switch {
	case !f.Fixable():
		return nil
	case r.review.doc == nil:
		return r.review.comma()
	}
	return document.Outermost(r.review.edits([]*cure{f.cure}))
}

// cured returns the text of the document with the cures, and whether that is another one.
func (r *reviewer) cured(cures []*cure) (text []byte, changed bool) {
	if r.doc == nil {
		return r.withoutComma()
	}
	edits := r.edits(cures)
	return r.doc.Apply(edits), len(edits) > 0
}

// edits returns the edits of the document for the cures.
func (r *reviewer) edits(cures []*cure) (edits []document.Edit) {
	drops := map[string][]int{} // children to leave out, by the pointer of what holds them
	for _, c := range cures {
		for _, pointer := range c.drop {
			r.drop(drops, pointer)
		}
		for pointer, value := range c.set {
			edits = append(edits, r.doc.Lookup(pointer).Replace(value))
		}
		for pointer, name := range c.rename {
			for key := range r.doc.Lookup(parent(pointer)).Members() {
				if key.Text() == unescape(last(pointer)) {
					edits = append(edits, key.Rename(name))
				}
			}
		}
	}
	if r.Policy == nil { // only values are wrong
		return edits
	}
	syscalls, rules := r.profile().Member("syscalls"), added(cures)
	r.emptied(drops)
	at := r.Policy.Pointer + "/syscalls"
	for pointer, indices := range drops {
		if pointer != at {
			edits = append(edits, r.doc.Lookup(pointer).Rewrite(func(i int) bool { return slices.Contains(indices, i) }, nil)...)
		}
	}
	dropped := drops[at]
	switch {
	case syscalls.Kind() == document.Array:
		edits = append(edits, syscalls.Rewrite(func(i int) bool { return slices.Contains(dropped, i) }, rules)...)
	case len(rules) > 0 && syscalls.Exists(): // null
		edits = append(edits, syscalls.Replace("["+strings.Join(rules, ", ")+"]"))
	case len(rules) > 0:
		edits = append(edits, r.profile().Rewrite(func(int) bool { return false }, []string{`"syscalls": [` + strings.Join(rules, ", ") + "]"})...)
	}
	return edits
}

// added returns the rules that cures add, in JSON: one for all calls that are to be allowed,
// and one for each other.
func added(cures []*cure) (rules []string) {
	var allow []string
	for _, c := range cures {
		for _, call := range c.allow {
			if !slices.Contains(allow, call) {
				allow = append(allow, call)
			}
		}
		for _, call := range c.enosys {
			rules = append(rules, `{"names": ["`+call+`"], "action": "SCMP_ACT_ERRNO", "errnoRet": `+strconv.Itoa(int(c.errno))+`}`)
		}
	}
	if len(allow) > 0 {
		rules = append(rules, `{"names": ["`+strings.Join(allow, `", "`)+`"], "action": "SCMP_ACT_ALLOW"}`)
	}
	return rules
}

// withoutComma returns a text that is not JSON without the comma that makes it so.
func (r *reviewer) withoutComma() (text []byte, changed bool) {
	text = r.text()
	for _, e := range r.comma() {
		return slices.Concat(text[:e.From], text[e.To:]), true
	}
	return nil, false
}

// comma returns the edit that removes that comma, if there is one.
func (r *reviewer) comma() []document.Edit {
	if len(r.Findings) != 1 || !r.Findings[0].Fixable() {
		return nil
	}
	text, at := r.text(), 0
	for range r.Findings[0].Line - 1 {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	at += r.Findings[0].Column - 1
	return []document.Edit{{From: at, To: at + 1}}
}

// text returns the text as edits and places count it: without a byte order mark.
func (r *reviewer) text() []byte { return bytes.TrimPrefix(r.source.Data(), []byte("\ufeff")) }

// drop notes that what stands at a pointer is left out.
func (r *reviewer) drop(drops map[string][]int, pointer string) {
	holder := r.doc.Lookup(parent(pointer))
	i := 0
	for key := range holder.Members() {
		if strings.EqualFold(key.Text(), unescape(last(pointer))) {
			drops[parent(pointer)] = append(drops[parent(pointer)], i)
		}
		i++
	}
	if index, err := strconv.Atoi(last(pointer)); err == nil && holder.Kind() == document.Array {
		drops[parent(pointer)] = append(drops[parent(pointer)], index)
	}
}

// emptied drops the rules all of whose names are dropped.
func (r *reviewer) emptied(drops map[string][]int) {
	at := r.Policy.Pointer + "/syscalls"
	for i, rule := range r.profile().Member("syscalls").Elements() {
		dropped := drops[element(at, i)+"/names"]
		left := len(dropped) == 0
		for j := range rule.Member("names").Elements() {
			left = left || !slices.Contains(dropped, j)
		}
		if !left {
			drops[at] = append(drops[at], i)
		}
	}
}

// unescape returns the key that a token of a JSON pointer stands for.
func unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}
