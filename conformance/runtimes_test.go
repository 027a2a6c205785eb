package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// A given is a seccomp object as a runtime finds it in a config.json.
type given struct {
	name string
	text json.RawMessage
}

// profiles returns the profiles of the repository and, if SECCOMPILE_PROFILES names a
// directory, those of it: each as it is, and where it is in Docker's or Podman's format
// also as these resolve it.
func profiles(t *testing.T) (list []given) {
	t.Helper()
	patterns := []string{"../testdata/profiles/*.json", "../testdata/profiles/bad/*.json"}
	if dir := os.Getenv("SECCOMPILE_PROFILES"); dir != "" {
		patterns = append(patterns, filepath.Join(dir, "*.json"))
	} else {
		t.Log("SECCOMPILE_PROFILES does not name a directory with more profiles")
	}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no profiles in %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, variants(t, filepath.Base(file), text)...)
		}
	}
	return list
}

// variants returns what runtimes may be given of a file, nothing if it is not JSON: then it
// cannot be part of a config.json.
func variants(t *testing.T, name string, text []byte) (list []given) {
	t.Helper()
	if !json.Valid(text) {
		return nil
	}
	source := language.NewSource(text)
	switch oci.Detect(source) {
	case oci.Config:
		var config struct {
			Linux struct{ Seccomp json.RawMessage }
		}
		if err := json.Unmarshal(text, &config); err != nil || config.Linux.Seccomp == nil {
			return nil
		}
		text = config.Linux.Seccomp
	case oci.Docker, oci.Podman:
		if p, _, err := oci.Read(text, policy.Target{}); err == nil {
			if s, err := oci.Spec(p); err == nil {
				resolved, err := json.Marshal(s)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, given{name + " resolved", resolved})
			}
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		t.Fatal(err)
	}
	return append(list, given{name, compact.Bytes()})
}

// knows reports whether a libseccomp has a name on an ABI as package syscalltables has it.
type knows func(a arch.ABI, name string) bool

// read reads a profile like a runtime whose libseccomp knows some names, on the ABIs on
// which it does.
func (p *given) read(runtime string, known knows) (q *policy.Policy, meant *policy.Resolved, err error) {
	reading, err := oci.Language{Format: oci.OCI, Runtime: runtime}.Read(language.NewSource(p.text), policy.Target{})
	if err != nil {
		return nil, nil, err
	}
	q = reading.Policy
	abis := slices.Clone(q.ABIs)
	if !slices.Contains(abis, arch.Native()) {
		abis = append(abis, arch.Native())
	}
	rules := q.Rules
	q.Rules = nil
	for _, rule := range rules {
		if rule.Pointer == "" {
			return nil, nil, errors.New("a rule without a place")
		}
		names := rule.Names
		rule.Names = nil
		for _, name := range names {
			on := slices.DeleteFunc(slices.Clone(abis), func(a arch.ABI) bool { return !known(a, name) })
			switch len(on) {
			case len(abis):
				rule.Names = append(rule.Names, name)
			case 0:
			default:
				some := rule
				some.Names, some.ABIs = []string{name}, on
				q.Rules = append(q.Rules, some)
			}
		}
		q.Rules = append(q.Rules, rule)
	}
	meant, _, err = policy.Resolve(q, policy.Options{})
	return q, meant, err
}

// A row counts what became of the profiles under one runtime.
type row struct {
	runtime          string
	profiles, proved int
	dumped           int            // of those proved, from running containers
	refused          int            // by both
	explained        map[string]int // differences, by what explains them
}

func (r *row) explain(why string) {
	if r.explained == nil {
		r.explained = map[string]int{}
	}
	r.explained[why]++
}

func (r *row) String() string {
	s := fmt.Sprintf("| %s | %d profiles | %d proved equal", r.runtime, r.profiles, r.proved)
	if r.dumped > 0 {
		s += fmt.Sprintf(" (%d from running containers)", r.dumped)
	}
	s += fmt.Sprintf(" | %d refused alike |", r.refused)
	var why []string
	for text, n := range r.explained {
		why = append(why, fmt.Sprintf(" %d: %s", n, text))
	}
	slices.Sort(why)
	if why == nil {
		why = []string{" no difference"}
	}
	return s + strings.Join(why, ";") + " |"
}

// compare compares a profile's meaning like a runtime with the program that the runtime
// makes of it, or with its refusal.
func (r *row) compare(t *testing.T, p *given, runtime string, theirs *cbpf.Program, refusal error, known knows) {
	t.Helper()
	r.profiles++
	asked, meant, err := p.read(runtime, known)
	switch {
	case err != nil && refusal != nil:
		r.refused++
		return
	case err != nil || refusal != nil:
		if runtime == oci.Runc && err == nil && hasErrno(asked, 4095) {
			r.explain("errors from 4095 on, which libseccomp refuses")
			return
		}
		t.Errorf("%s: %s: ours: %v; theirs: %v", r.runtime, p.name, err, refusal)
		return
	}
	answer, err := proof.Equal(proof.Policy(meant), proof.Program(theirs), proof.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	switch answer.Verdict {
	case proof.Same:
		r.proved++
	case proof.Different:
		if runtime == oci.Runc && lowerBound(t, asked, meant, theirs) {
			r.explain("runc's bound does not count the numbers of calls that an ABI also multiplexes")
			return
		}
		w := answer.Witness
		t.Errorf("%s: %s: %+v: %v as we read it, %v there", r.runtime, p.name, w.Call, w.A, w.B)
	case proof.Unknown:
		t.Errorf("%s: %s: %s", r.runtime, p.name, answer.Reason)
	}
}

// hasErrno reports whether a profile gives an error number, or a larger one.
func hasErrno(p *policy.Policy, least uint) bool {
	large := func(errno *uint) bool { return errno != nil && *errno >= least }
	return large(p.DefaultErrno) || slices.ContainsFunc(p.Rules, func(r policy.Rule) bool { return large(r.Errno) })
}

// lowerBound reports whether all differences are that runc's bound for ENOSYS is lower,
// because to libseccomp the numbers of calls that an ABI multiplexes are negative: of a
// number above the largest positive one, runc says ENOSYS.
func lowerBound(t *testing.T, p *policy.Policy, meant *policy.Resolved, theirs *cbpf.Program) bool {
	t.Helper()
	changes, err := proof.Diff(proof.Policy(meant), proof.Program(theirs), proof.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	bounds := map[uint32]uint32{}
	for _, space := range meant.Spaces {
		for _, a := range space.ABIs {
			for _, rule := range p.Rules {
				for _, name := range rule.Names {
					if nr, _ := scmp.Resolve(a, name); nr > 0 {
						bounds[space.Audit] = max(bounds[space.Audit], uint32(nr))
					}
				}
			}
		}
	}
	return !slices.ContainsFunc(changes, func(c proof.Change) bool {
		if c.To != cbpf.Errno(38) {
			return true
		}
		for _, audits := range c.Audits {
			if audits.First != audits.Last || bounds[audits.First] == 0 || c.First <= bounds[audits.First] {
				return true
			}
		}
		return false
	})
}

// Libseccomp's calls as runc and youki make them give what their modes mean.
func TestRuntimesByLibseccomp(t *testing.T) {
	for _, runtime := range []string{oci.Runc, oci.Youki, oci.Youki06} {
		t.Run(runtime, func(t *testing.T) {
			r := row{runtime: runtime + " by libseccomp " + scmp.Version()}
			for _, p := range profiles(t) {
				theirs, err := byLibseccomp(&p, runtime)
				r.compare(t, &p, runtime, theirs, err, agreed)
			}
			t.Log(&r)
		})
	}
}

func byLibseccomp(p *given, runtime string) (*cbpf.Program, error) {
	text := p.text
	if runtime != oci.Runc {
		var err error
		if text, err = exactly(text); err != nil {
			return nil, err
		}
	}
	var s specs.LinuxSeccomp
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	abis := []arch.ABI{arch.Native()}
	for _, name := range s.Architectures {
		i := slices.IndexFunc(slices.Collect(arch.All()), func(a arch.ABI) bool { return a.OCI() == string(name) })
		if i < 0 {
			return nil, fmt.Errorf("no architecture %q", name)
		}
		if a := slices.Collect(arch.All())[i]; !slices.Contains(abis, a) {
			abis = append(abis, a)
		}
	}
	if older := runtime == oci.Youki06; older && bytes.Contains(text, []byte("WAIT_KILLABLE_RECV")) {
		return nil, errors.New("no such flag")
	}
	switch runtime {
	case oci.Youki:
		return scmp.Youki(&s, abis, false)
	case oci.Youki06:
		return scmp.Youki(&s, abis, true)
	}
	return scmp.Compile(&s, abis, scmp.Options{})
}

// exactly returns a profile as youki reads it: without keys in the wrong letter case, which
// Go would take. What youki needs must be there.
func exactly(text json.RawMessage) (json.RawMessage, error) {
	profile, err := object(text, []string{"defaultAction"}, "defaultErrnoRet", "architectures", "flags", "listenerPath", "listenerMetadata", "syscalls")
	if err != nil {
		return nil, err
	}
	err = each(profile, "syscalls", func(text json.RawMessage) (map[string]json.RawMessage, error) {
		rule, err := object(text, []string{"names", "action"}, "errnoRet", "args")
		if err != nil {
			return nil, err
		}
		return rule, each(rule, "args", func(text json.RawMessage) (map[string]json.RawMessage, error) {
			return object(text, []string{"index", "value", "op"}, "valueTwo")
		})
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(profile)
}

// object returns the members of an object that have some keys.
func object(text json.RawMessage, needs []string, may ...string) (map[string]json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	some := map[string]json.RawMessage{}
	for _, key := range slices.Concat(needs, may) {
		value, ok := all[key]
		switch {
		case ok && string(value) != "null":
			some[key] = value
		case slices.Contains(needs, key):
			return nil, errors.New("no " + key)
		}
	}
	return some, nil
}

// each replaces the objects in a list.
func each(of map[string]json.RawMessage, key string, f func(json.RawMessage) (map[string]json.RawMessage, error)) error {
	if of[key] == nil {
		return nil
	}
	var list []json.RawMessage
	err := json.Unmarshal(of[key], &list)
	for i := range list {
		if err != nil {
			break
		}
		var o map[string]json.RawMessage
		if o, err = f(list[i]); err == nil {
			list[i], err = json.Marshal(o)
		}
	}
	if err == nil {
		of[key], err = json.Marshal(list)
	}
	return err
}
