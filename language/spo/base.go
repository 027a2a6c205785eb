package spo

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/kube"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// maxBases is how many base profiles the operator follows.
const maxBases = 15

// resolve reads a profile with the rules of its bases. The operator takes nothing but rules
// from these.
func (r *reader) resolve(p *profile) *policy.Policy {
	own := r.read(p)
	seen := []*profile{p}
	for name := baseOf(p); name.Text() != "" && len(r.problems) == 0; name = baseOf(p) {
		at := p.Place(name)
		if len(seen) > maxBases {
			r.fail(at, "more than "+strconv.Itoa(maxBases)+" base profiles, one from the other: the operator follows no more (join some)")
			break
		}
		base := r.find(name.Text(), p, at)
		if base == nil {
			break
		}
		if slices.ContainsFunc(seen, func(q *profile) bool {
			return q.Source.Name() == base.Source.Name() && q.Root == base.Root || same(q, base)
		}) {
			r.fail(at, unknown.Quote(name.Text())+": profiles that are based on each other in a circle (remove one baseProfileName)")
			break
		}
		seen = append(seen, base)
		theirs := r.read(base)
		if theirs == nil || own == nil {
			break
		}
		if theirs.Default != own.Default {
			r.warn(policy.Ignored, at, "the default action of "+unknown.Quote(base.Name)+" is "+action(theirs.Default)+
				": the operator takes only rules from a base profile, and the default stays "+action(own.Default))
		}
		u := union{reader: r, base: theirs.Rules, own: own.Rules, at: at}
		own.Rules = u.rules()
		p = base
	}
	return own
}

// action names a class of actions.
func action(a cbpf.Action) string { return strings.TrimSuffix(a.String(), "(0)") }

// same reports whether two profiles are one, read twice.
func same(p, q *profile) bool {
	return p.Name == q.Name && p.Namespace == q.Namespace && p.Source.Name() == q.Source.Name() && p.Place(p.Root) == q.Place(q.Root)
}

// baseOf returns the name of the base profile, an absent value if there is none.
func baseOf(p *profile) document.Value {
	if name := kube.Member(p.spec, "baseProfileName"); !p.configMap && name.Kind() == document.String {
		return name
	}
	return document.Value{}
}

// find returns the profile with a name that another one, if it is not nil, is based on.
func (r *reader) find(name string, from *profile, at string) *profile {
	if reference, ok := strings.CutPrefix(name, "oci://"); ok {
		return r.layout(reference, at)
	}
	fits := func(p *profile) bool {
		return p.named(name) && (from == nil || p.Namespace == "" || from.Namespace == "" || p.Namespace == from.Namespace)
	}
	if i := slices.IndexFunc(r.own, fits); i >= 0 {
		return r.own[i]
	}
	own := []string{name + ".yaml", name + ".yml", name + ".json"} // have precedence
	files := slices.Clone(own)
	for _, pattern := range []string{"*.yaml", "*.yml", "*.json"} {
		more, err := r.source.Glob(pattern)
		if err != nil {
			r.fail(at, err.Error())
			return nil
		}
		files = append(files, more...)
	}
	var found []*profile
	for i, file := range files {
		if i == maxFiles {
			break
		}
		p := r.inFile(file, fits)
		if p != nil && i < len(own) {
			return p
		}
		if p != nil {
			found = append(found, p)
		}
	}
	if from != nil && slices.ContainsFunc(found, func(p *profile) bool { return p.Namespace == from.Namespace }) {
		found = slices.DeleteFunc(found, func(p *profile) bool { return p.Namespace != from.Namespace })
	}
	switch len(found) {
	case 0:
		cure := "write it to " + path.Base(name) + ".yaml there"
		if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") {
			cure = "give its metadata.name, not a path"
		}
		r.fail(at, unknown.Quote(name)+": no such SeccompProfile in this file or in the files beside it ("+cure+")")
		return nil
	case 1:
		return found[0]
	}
	r.fail(at, unknown.Quote(name)+": both "+found[0].Source.Name()+" and "+found[1].Source.Name()+" have it (remove one)")
	return nil
}

// maxFiles bounds how many files are searched for a profile.
const maxFiles = 1000

// inFile returns the profile that fits in a file, nil if there is none: the file may hold
// something else, and then need not be YAML either.
func (r *reader) inFile(name string, fits func(*profile) bool) *profile {
	s, err := r.source.Include(name)
	if err != nil {
		return nil
	}
	objects, err := kube.Objects(s)
	if err != nil {
		return nil
	}
	list := profiles(objects)
	if i := slices.IndexFunc(list, func(p *profile) bool { return !p.configMap && fits(p) }); i >= 0 {
		return list[i]
	}
	return nil
}

// A union joins the rules of a profile with those of its base as the operator does: a call
// gets the more permissive of two actions, and that of the base, with its error, if they are
// equally permissive.
type union struct {
	*reader
	base, own []policy.Rule
	at        string // of baseProfileName
}

// A verdict is what one list of rules makes of a call.
type verdict struct {
	all    *policy.Rule   // the rule without conditions that decides, nil if none does
	others []*policy.Rule // those with conditions, if all is nil
}

func verdicts(rules []policy.Rule) (names []string, of map[string]*verdict) {
	of = map[string]*verdict{}
	for i := range rules {
		for _, name := range rules[i].Names {
			v := of[name]
			if v == nil {
				v = new(verdict)
				of[name] = v
				names = append(names, name)
			}
			switch {
			case v.all != nil: // it hides the others
			case len(v.others) > 0 && v.others[len(v.others)-1] == &rules[i]: // named twice
			case len(rules[i].Args) == 0:
				v.all, v.others = &rules[i], nil
			default:
				v.others = append(v.others, &rules[i])
			}
		}
	}
	return names, of
}

// rules returns the joined rules: those of the base, then those of the profile, each with the
// names for which it stays.
func (u *union) rules() []policy.Rule {
	names, base := verdicts(u.base)
	more, own := verdicts(u.own)
	stays := map[*policy.Rule][]string{}
	keep := func(name string, rules ...*policy.Rule) {
		for _, rule := range rules {
			if n := stays[rule]; len(n) == 0 || n[len(n)-1] != name {
				stays[rule] = append(n, name)
			}
		}
	}
	for _, name := range append(names, more...) {
		b, o := base[name], own[name]
		switch {
		case o == nil && b == nil:
			continue
		case o == nil:
			o, b = b, new(verdict)
		case b == nil:
			b = new(verdict)
		}
		delete(base, name)
		delete(own, name)
		if all := permissive(b, o); all != nil {
			keep(name, all)
		} else if conditions := slices.Concat(b.others, o.others); b.all == nil && o.all == nil && safe(conditions) {
			keep(name, conditions...)
		} else {
			u.fail(u.at, unknown.Quote(name)+": the operator does not keep the conditions of its rules exactly when it joins them with the base profile's (write all rules of the profile into one, without baseProfileName)")
		}
	}
	var rules []policy.Rule
	for _, from := range [][]policy.Rule{u.base, u.own} {
		for i := range from {
			if names := stays[&from[i]]; names != nil {
				rule := from[i]
				rule.Names = names
				rules = append(rules, rule)
			}
		}
	}
	return rules
}

// permissive returns the rule without conditions that is at least as permissive as every
// other rule of two lists for a call, nil if there is none.
func permissive(b, o *verdict) *policy.Rule {
	best := b.all
	if best == nil || o.all != nil && int32(o.all.Action) > int32(best.Action) {
		best = o.all
	}
	if best == nil {
		return nil
	}
	for _, rule := range slices.Concat(b.others, o.others) {
		if int32(rule.Action) > int32(best.Action) || rule.Action == best.Action && errno(rule) != errno(best) {
			return nil
		}
	}
	return best
}

// errno returns the data of a rule; EPERM is 1 on all ABIs.
func errno(r *policy.Rule) uint {
	if r.Errno == nil {
		return 1
	}
	return *r.Errno
}

// safe reports whether the operator keeps rules with conditions as they are: one rule, or
// rules of one condition each, either with one action and without order, or that compare one
// argument with values which differ in their lower halves.
func safe(rules []*policy.Rule) bool {
	if len(rules) == 1 {
		var indexes []uint
		for _, a := range rules[0].Args {
			indexes = append(indexes, a.Index)
		}
		slices.Sort(indexes)
		return len(slices.Compact(indexes)) == len(rules[0].Args)
	}
	first := rules[0]
	alike, values := true, map[uint32]bool{}
	for _, rule := range rules {
		if len(rule.Args) != 1 {
			return false
		}
		a := rule.Args[0]
		if rule.Action != first.Action || errno(rule) != errno(first) || a.Op != policy.Equal && a.Op != policy.NotEqual && (a.Op != policy.MaskedEqual || a.Value == 0) {
			alike = false
		}
		if a.Op != policy.Equal || a.Index != first.Args[0].Index {
			values = nil
		} else if values != nil {
			values[uint32(a.Value)] = true
		}
	}
	return alike || len(values) == len(rules)
}

// explain returns why a file cannot be included.
func explain(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "no such file"
	}
	return err.Error()
}

// include opens a file of a layout.
func (r *reader) include(name string) (*language.Source, string) {
	s, err := r.source.Include(name)
	if err != nil {
		return nil, explain(err)
	}
	return s, ""
}
