package policy

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
)

// A Format is a file format that profiles come in.
type Format uint8

// The formats that [Read] understands. The zero Format is none of them.
const (
	FormatOCI    Format = iota + 1 // runtime-spec's linux.seccomp object
	FormatConfig                   // a whole config.json of runtime-spec
	FormatDocker                   // Docker's format: archMap, includes, excludes, minKernel
)

// String returns "oci", "config" or "docker".
func (f Format) String() string {
	switch f {
	case FormatOCI:
		return "oci"
	case FormatConfig:
		return "config"
	case FormatDocker:
		return "docker"
	}
	return "none"
}

// The keys of the formats. Docker's format has all, OCI's those before the
// comment.
var (
	profileKeys = [...]string{
		"defaultAction", "defaultErrnoRet", "architectures", "flags", "listenerPath", "listenerMetadata", "syscalls",
		"archMap", // Docker's
	}
	ruleKeys = [...]string{
		"names", "action", "errnoRet", "args",
		"name", "comment", "includes", "excludes", // Docker's
	}
	argKeys    = [...]string{"index", "value", "valueTwo", "op"}
	configKeys = [...]string{"ociVersion", "linux"} // those that matter here
)

const (
	ociProfileKeys = len(profileKeys) - 1
	ociRuleKeys    = len(ruleKeys) - 4
	maxKeys        = max(len(profileKeys), len(ruleKeys))
)

// Sniff tells the format of a JSON document by the keys present. It is zero for
// text that is not JSON and for documents that are no profile.
func Sniff(data []byte) Format {
	doc, err := scan(data)
	if err != nil {
		return 0
	}
	return sniff(doc.root())
}

func sniff(root value) Format {
	var profile, config bool
	for key := range root.members() {
		switch i, _ := find(key, profileKeys[:]); {
		case i >= ociProfileKeys:
			return FormatDocker
		case i >= 0:
			profile = true
		}
		if i, _ := find(key, configKeys[:]); i >= 0 {
			config = true
		}
	}
	switch {
	case profile && dockerRules(root):
		return FormatDocker
	case profile:
		return FormatOCI
	case config:
		return FormatConfig
	}
	return 0
}

// dockerRules reports whether a rule of a profile has a key of Docker's.
func dockerRules(root value) bool {
	for _, rule := range root.member("syscalls").elements() {
		for key := range rule.members() {
			if i, _ := find(key, ruleKeys[:]); i >= ociRuleKeys {
				return true
			}
		}
	}
	return false
}

// find returns the index of a key among some, or -1. A key that differs in
// letter case only is found as well, and not exact.
func find(key value, keys []string) (index int, exact bool) {
	for i, k := range keys {
		if key.is(k) {
			return i, true
		}
	}
	name := key.string()
	return slices.IndexFunc(keys, func(k string) bool { return strings.EqualFold(k, name) }), false
}

// Read reads a profile in any format that [Sniff] tells. The conditions of
// Docker's format are resolved for t; with the others, t only says what
// SCMP_ARCH_NATIVE stands for. All problems are reported together, as [Errors].
//
// Numbers are unsigned decimal integers of at most 64 bits. A null is an absent
// value. Keys that the format does not know are ignored, as runtime-spec wants
// it, with a warning; a known key in the wrong letter case is an error, because
// some runtimes honour it and others do not, and so is a key given twice.
// Input beyond 16 MiB or 100 levels of nesting is refused. The time taken is
// linear in the size of the input.
func Read(data []byte, t Target) (*Policy, []Warning, error) {
	doc, problem := scan(data)
	if problem != nil {
		return nil, nil, Errors{problem}
	}
	r := &reader{doc: doc, target: t}
	if t.ABI == 0 {
		r.target.ABI = arch.Native()
	}
	root := doc.root()
	var p *Policy
	switch sniff(root) {
	case FormatOCI:
		p = r.profile(root)
	case FormatDocker:
		p = r.dockerProfile(root)
	case FormatConfig:
		p = r.config(root)
	default:
		r.fail(root, notAProfile(root))
	}
	warnings, errs := r.report()
	if err := errs.orNil(); err != nil {
		return nil, warnings, err
	}
	return p, warnings, nil
}

func notAProfile(root value) string {
	const want = " (want an object with a defaultAction, or a config.json)"
	if root.kind() != objectKind {
		return "the document is " + root.kind().String() + ", not a seccomp profile" + want
	}
	return "the document has no key of a seccomp profile" + want
}

// A reader turns a document into a Policy and collects what it has to say.
type reader struct {
	doc      *document
	docker   bool   // whether the keys of Docker's format are known
	target   Target // with the ABI filled in
	prefix   string // JSON pointer of the profile
	problems []remark
	warnings []remark
}

// maxRemarks bounds the problems and the warnings, since hostile input could
// make a line of text out of every few bytes.
const maxRemarks = 1000

// A remark is a problem or a warning. It names its place by token: pointers and
// lines are made once, for all of them.
type remark struct {
	token   int32
	missing string // key of an absent member of the token
	kind    Kind   // 0 for a problem
	text    string
}

func (r *reader) fail(at value, reason string) {
	if len(r.problems) < maxRemarks {
		r.problems = append(r.problems, remark{token: at.index, text: reason})
	}
}

func (r *reader) failMissing(of value, key, cure string) {
	if len(r.problems) < maxRemarks {
		r.problems = append(r.problems, remark{token: of.index, missing: key, text: cure})
	}
}

func (r *reader) warn(at value, k Kind, message string) {
	if len(r.warnings) < maxRemarks {
		r.warnings = append(r.warnings, remark{token: at.index, kind: k, text: message})
	}
}

// elements yields the elements of an array until there are too many problems
// for reading on to make sense.
func (r *reader) elements(v value) iter.Seq2[int, value] {
	return func(yield func(int, value) bool) {
		i, end := v.inside(arrayKind)
		for n := 0; i < end && len(r.problems) < maxRemarks; n++ {
			if !yield(n, value{v.doc, i}) {
				return
			}
			i = v.doc.tokens[i].next
		}
	}
}

// report returns all warnings and problems in file order, or an indication that
// there are more than can be told.
func (r *reader) report() (warnings []Warning, errs Errors) {
	for i, pointer := range r.places(r.warnings) {
		warnings = append(warnings, Warning{r.warnings[i].kind, pointer, r.warnings[i].text})
	}
	var pos positioner
	for i, pointer := range r.places(r.problems) {
		f := &r.problems[i]
		if f.missing != "" {
			pointer += "/" + f.missing
		}
		line, column := pos.position(r.doc.text, value{r.doc, f.token}.offset())
		errs = append(errs, &Error{Pointer: pointer, Reason: f.text, Line: line, Column: column})
	}
	if len(warnings) == maxRemarks {
		warnings = append(warnings, Warning{Kind: UnknownKey, Pointer: r.prefix, Message: "there may be more such warnings"})
	}
	if len(errs) == maxRemarks {
		errs = append(errs, &Error{Pointer: r.prefix, Reason: "there may be more problems (cure these first)"})
	}
	return warnings, errs
}

// places sorts remarks into file order and returns their pointers.
func (r *reader) places(remarks []remark) []string {
	if len(remarks) == 0 {
		return nil
	}
	slices.SortStableFunc(remarks, func(a, b remark) int { return cmp.Compare(a.token, b.token) })
	tokens := make([]int32, len(remarks))
	for i := range remarks {
		tokens[i] = remarks[i].token
	}
	return r.doc.pointers(tokens)
}
