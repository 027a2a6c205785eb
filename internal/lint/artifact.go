package lint

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// What runtimes accept of an artifact (KEP-6061: "OCI Artifact Format", "Profile Merging";
// security-profiles-merger: seccomp/validate.go: ValidateArtifact, seccomp/json.go:
// UnmarshalStrict; CRI-O: internal/securityprofile). maxArtifact is the default.
const (
	maxArtifact = 1 << 20 // bytes of a layer
	maxEntries  = 128     // that have the same name
	maxNames    = 1024    // of an entry
	maxRules    = 256     // of a call
	maxAllRules = 16384
	maxErrno    = 4095
)

// checkArtifact reports what runtimes refuse in the layer of an artifact, beyond what the
// OCI runtimes refuse.
func (r *reviewer) checkArtifact() {
	switch {
	case r.options.Language != nil || r.doc != nil && !r.doc.Original():
		r.found(Finding{ID: "artifact", Reason: "runtimes that pull a profile read JSON alone", Fix: "use the output of seccompile convert --to oci"})
		return
	case r.doc == nil, r.read == oci.Config: // other findings say why
		return
	case bytes.HasPrefix(r.source.Data(), []byte("\ufeff")):
		r.found(Finding{ID: "artifact", Reason: "the text begins with a byte order mark, which Go's JSON package refuses", Fix: "save it as UTF-8 without one"})
	}
	if n := len(r.source.Data()); n > maxArtifact {
		r.found(tooLarge("", "the profile", int64(n)))
	}
	r.checkTwice()
	r.checkNodeListener()
	r.checkEntries()
	if r.Policy != nil {
		r.checkArtifactErrnos()
		r.checkArtifactRules()
	}
}

func tooLarge(pointer, what string, bytes int64) Finding {
	return Finding{ID: "artifact-limit", Pointer: pointer, Reason: fmt.Sprintf("%s has %d bytes, and runtimes accept %d", what, bytes, maxArtifact),
		Fix: "remove what the profile does not need, such as spaces"}
}

// refusedKeys reports keys that only Docker's and Podman's formats have.
func (r *reviewer) refusedKeys(pointers []string) {
	for _, pointer := range pointers {
		r.found(Finding{ID: "unknown-key", Severity: Error, Pointer: pointer, Reason: strictKey, Fix: "use the output of seccompile resolve"})
	}
}

// strictKey is why an unknown key, or one in other letter case, is an error in an artifact.
const strictKey = "runtimes refuse an artifact with a key that the runtime specification does not have"

// checkTwice reports architectures and flags that are listed before. Keys are in other findings.
func (r *reviewer) checkTwice() {
	for _, list := range []string{"architectures", "flags"} {
		seen := map[string]bool{}
		for i, e := range r.doc.Root().Member(list).Elements() {
			if text := e.Text(); seen[text] {
				r.found(Finding{ID: "artifact-twice", Pointer: element("/"+list, i), Reason: strconv.Quote(text) + " is listed twice"})
			} else {
				seen[text] = true
			}
		}
	}
}

// checkNodeListener reports all that is for a listener.
func (r *reviewer) checkNodeListener() {
	refused := func(pointer, what string) {
		r.found(Finding{ID: "artifact-listener", Pointer: pointer, Reason: "runtimes refuse " + what + " in an artifact"})
	}
	profile := r.doc.Root()
	for _, key := range []string{"listenerPath", "listenerMetadata"} {
		if v := profile.Member(key); v.Present() && v.Text() != "" {
			refused("/"+key, key)
		}
	}
	const notify = "SCMP_ACT_NOTIFY"
	if profile.Member("defaultAction").Text() == notify {
		refused("/defaultAction", notify)
	}
	for i, rule := range profile.Member("syscalls").Elements() {
		if rule.Member("action").Text() == notify {
			refused(element("/syscalls", i)+"/action", notify)
		}
	}
	for i, flag := range profile.Member("flags").Elements() {
		switch flag.Text() {
		case cbpf.WaitKillableRecv.String():
			refused(element("/flags", i), flag.Text())
		case cbpf.TSync.String():
			r.found(Finding{ID: "unsupported-flag", Severity: Error, Pointer: element("/flags", i), Reason: "runtimes refuse an artifact with " + flag.Text(),
				Fix: "remove it: runtimes install the filter before there is a second thread"})
		}
	}
}

// checkEntries reports calls that too many entries name, at the first that is one too many,
// and entries with too many names.
func (r *reviewer) checkEntries() {
	entries := map[string]int{}
	over := map[string]string{} // pointers
	var names []string          // of these
	for i, rule := range r.doc.Root().Member("syscalls").Elements() {
		at := element("/syscalls", i) + "/names"
		n := 0
		for j, name := range rule.Member("names").Elements() {
			n++
			text := name.Text()
			if entries[text]++; entries[text] == maxEntries+1 {
				over[text] = element(at, j)
				names = append(names, text)
			}
		}
		if n > maxNames {
			r.found(Finding{ID: "artifact-limit", Pointer: at, Reason: fmt.Sprintf("the entry has %d names, and runtimes accept %d", n, maxNames), Fix: "split the entry, or name calls that exist"})
		}
	}
	for _, name := range names {
		r.found(Finding{ID: "artifact-limit", Pointer: over[name], Reason: fmt.Sprintf("%s is listed %d times, and runtimes accept %d", strconv.Quote(name), entries[name], maxEntries)})
	}
}

// carries reports whether an action carries an error number.
func carries(a cbpf.Action) bool {
	return a.Class() == cbpf.ErrnoClass || a.Class() == cbpf.TraceClass
}

// checkArtifactErrnos reports error numbers that the kernel does not have, of those that
// libseccomp would take.
func (r *reviewer) checkArtifactErrnos() {
	check := func(a cbpf.Action, errno *uint, pointer string) {
		refused := a.Class() == cbpf.ErrnoClass && errno != nil && *errno&0xffff > mostErrno // see checkErrnoRange
		if carries(a) && errno != nil && *errno > maxErrno && !refused {
			r.found(Finding{ID: "errno-range", Pointer: pointer, Reason: fmt.Sprintf("runtimes accept errors up to %d in an artifact, not %d", maxErrno, *errno)})
		}
	}
	p := r.Policy
	check(p.Default, p.DefaultErrno, "/defaultErrnoRet")
	for i := range p.Rules {
		check(p.Rules[i].Action, p.Rules[i].Errno, p.Rules[i].Pointer+"/errnoRet")
	}
}

// An answer is the action of a rule and the error that goes with it.
type answer struct {
	action cbpf.Action
	errno  uint
}

func answerOf(a cbpf.Action, errno *uint) answer {
	switch {
	case !carries(a):
		return answer{action: a}
	case errno == nil:
		return answer{a, 1} // EPERM
	}
	return answer{a, *errno}
}

// A single is a rule as runtimes give it to libseccomp.
type single struct {
	answer
	args []policy.Arg
	at   string
}

// singles returns the rules that runtimes make of an entry: one for each condition if an
// argument is tested twice. Conditions that libseccomp drops are left out.
func singles(rule *policy.Rule) []single {
	s := single{answer: answerOf(rule.Action, rule.Errno), at: rule.Pointer}
	var tested [6]bool
	again := false
	for _, a := range rule.Args {
		if a.Index < uint(len(tested)) {
			again = again || tested[a.Index]
			tested[a.Index] = true
		}
		if a.Op == policy.MaskedEqual {
			a.ValueTwo &= a.Value
		} else {
			a.ValueTwo = 0
		}
		if a.Op != policy.MaskedEqual || a.Value != 0 {
			s.args = append(s.args, a)
		}
	}
	if !again {
		return []single{s}
	}
	var list []single
	for i := range rule.Args { // those that are dropped leave a rule without conditions
		one := single{answer: s.answer, at: s.at}
		if i < len(s.args) {
			one.args = s.args[i : i+1]
		}
		list = append(list, one)
	}
	return list
}

// checkArtifactRules reports too many rules, of a call and in all, and then calls whose rules
// give different answers in a way that runtimes do not accept.
func (r *reviewer) checkArtifactRules() {
	p := r.Policy
	none := answerOf(p.Default, p.DefaultErrno)
	calls := map[string]int{}
	total := 0
	var names []string
	for i := range p.Rules {
		rule := &p.Rules[i]
		if answerOf(rule.Action, rule.Errno) == none {
			continue
		}
		n := len(singles(rule))
		total += n * len(rule.Names)
		for j, name := range rule.Names {
			if calls[name] == 0 {
				names = append(names, name)
			}
			if before := calls[name]; before <= maxRules && before+n > maxRules {
				r.found(Finding{ID: "artifact-limit", Pointer: element(rule.Pointer+"/names", j),
					Reason: fmt.Sprintf("%s has more than %d rules with those up to here, and runtimes accept no more", strconv.Quote(name), maxRules)})
			}
			calls[name] += n
		}
	}
	if total > maxAllRules {
		r.found(Finding{ID: "artifact-limit", Pointer: "/syscalls", Reason: fmt.Sprintf("the profile has %d rules, a name and a condition at a time, and runtimes accept %d", total, maxAllRules)})
		return
	}
	rules := map[string][]single{}
	for i := range p.Rules {
		rule := &p.Rules[i]
		if answerOf(rule.Action, rule.Errno) == none {
			continue
		}
		list := singles(rule)
		for _, name := range rule.Names {
			if calls[name] <= maxRules {
				rules[name] = append(rules[name], list...)
			}
		}
	}
	for _, name := range names {
		if at := conflict(rules[name]); at != "" {
			r.found(Finding{ID: "artifact-conflict", Pointer: at, Reason: "runtimes refuse an artifact with rules like these for " + name + ", which give different answers"})
		}
	}
}

// conflict returns the place of the first rule with another answer than the first, or "" if
// there is none or runtimes combine the rules.
func conflict(rules []single) string {
	var distinct []single
	at := ""
	for _, s := range rules {
		if s.answer != rules[0].answer && at == "" {
			at = s.at
		}
		same := func(d single) bool {
			return d.answer == s.answer && len(d.args) == 1 && len(s.args) == 1 && d.args[0] == s.args[0]
		}
		if !slices.ContainsFunc(distinct, same) {
			distinct = append(distinct, s)
		}
	}
	if at == "" || equalities(distinct) || opposites(distinct) {
		return ""
	}
	return at
}

// equalities reports whether rules compare one argument with values that differ on 32-bit
// ABIs, too.
func equalities(rules []single) bool {
	seen := map[uint32]bool{}
	for _, s := range rules {
		if len(s.args) != 1 || s.args[0].Op != policy.Equal || s.args[0].Index != rules[0].args[0].Index || seen[uint32(s.args[0].Value)] {
			return false
		}
		seen[uint32(s.args[0].Value)] = true
	}
	return true
}

// opposites reports whether exactly one of two rules matches, whatever the argument.
func opposites(rules []single) bool {
	if len(rules) != 2 || len(rules[0].args) != 1 || len(rules[1].args) != 1 {
		return false
	}
	a, b := rules[0].args[0], rules[1].args[0]
	op := map[policy.Op]policy.Op{policy.Equal: policy.NotEqual, policy.Less: policy.GreaterEqual, policy.LessEqual: policy.Greater}
	return a.Index == b.Index && a.Value == b.Value && a.ValueTwo == b.ValueTwo && (op[a.Op] == b.Op || op[b.Op] == a.Op)
}
