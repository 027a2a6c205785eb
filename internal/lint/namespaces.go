package lint

import (
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// namespaces are the flags that make a namespace, of clone and unshare alike
// (linux/sched.h). CLONE_NEWTIME is not among them: clone reads its bit as part of a signal.
var namespaces = [...]struct {
	name string
	flag uint64
}{
	{"CLONE_NEWNS", 0x00020000}, {"CLONE_NEWCGROUP", 0x02000000}, {"CLONE_NEWUTS", 0x04000000}, {"CLONE_NEWIPC", 0x08000000},
	{"CLONE_NEWUSER", newUser}, {"CLONE_NEWPID", 0x20000000}, {"CLONE_NEWNET", 0x40000000},
}

const (
	newUser       = 0x10000000
	allNamespaces = 0x7e020000
)

// checkNamespaces reports that some kinds of namespaces are denied and others are not.
func (r *reviewer) checkNamespaces() {
	a := r.Resolved.ABIs()[0]
	for _, name := range [...]string{"clone", "unshare"} {
		call, _ := syscalltables.Lookup(name)
		index := slices.Index(call.Args(a), "flags")
		nr, ok := call.Number(a)
		if !ok || index < 0 {
			continue
		}
		var left []string
		var leaves uint64
		var by policy.Verdict
		for _, n := range namespaces {
			d := cbpf.Data{Arch: a.Audit(), NR: nr}
			d.Args[index] = n.flag
			if v := r.Resolved.Decide(&d); open(v.Action) {
				left, leaves, by = append(left, n.name), leaves|n.flag, v
			}
		}
		if leaves != 0 && leaves != allNamespaces {
			r.openNamespaces(a, name, index, left, leaves, by)
		}
	}
}

// openNamespaces reports the namespaces that a call can make, although it cannot make
// others. by is what allows the last of them.
func (r *reviewer) openNamespaces(a arch.ABI, call string, index int, left []string, leaves uint64, by policy.Verdict) {
	f := Finding{ID: "open-namespace", Pointer: by.Pointer,
		Reason: call + " is denied some kinds of namespaces, but not those of " + join(left),
		Fix:    "deny all of them, with the mask " + strconv.Itoa(allNamespaces)}
	if by.Pointer == "" {
		f.Pointer = r.named(call)
	}
	// A process without privileges gets them in a user namespace, and needs them for the
	// others.
	if leaves&newUser == 0 && (open(r.Resolved.Default) || leaves == 0x02000000) {
		f.Severity = Note
	}
	rule := ruleAt(r.Policy, by.Pointer+"/")
	if rule == nil || len(rule.Names) != 1 || r.conditional(rule.Names[0]) {
		r.found(f)
		return
	}
	for i, arg := range rule.Args {
		if int(arg.Index) == index && arg.Op == policy.MaskedEqual && arg.Value&allNamespaces != 0 && arg.ValueTwo&allNamespaces == 0 {
			f.cure = &cure{set: map[string]string{element(rule.Pointer+"/args", i) + "/value": strconv.FormatUint(arg.Value|allNamespaces, 10)}}
		}
	}
	r.found(f)
}

// conditional reports whether a rule for a call depends on the target, so that what is
// right for this one may be wrong for another.
func (r *reviewer) conditional(call string) bool {
	for _, rule := range r.profile().Member("syscalls").Elements() {
		if !depends(rule) {
			continue
		}
		if rule.Member("name").Text() == call {
			return true
		}
		for _, name := range rule.Member("names").Elements() {
			if name.Text() == call {
				return true
			}
		}
	}
	return false
}
