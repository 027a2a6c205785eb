package spo

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/kube"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// A checker looks for what the operator's API refuses or drops, and what runtimes do not
// see of a profile.
type checker struct {
	*reader
	*profile
	leave map[document.Value]bool // keys that do not get into the file on the node
}

func specKeys() []string {
	return []string{"baseProfileName", "disabled", "targetWorkload", "defaultAction", "architectures", "flags", "listenerPath", "listenerMetadata", "syscalls"}
}

// architectures are those that the API takes.
func architectures() []string {
	return []string{
		"SCMP_ARCH_NATIVE", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",
		"SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
		"SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",
	}
}

// check reports whether there is a spec to read.
func (c *checker) check() bool {
	if c.spec.Kind() != document.Object {
		at := c.Root
		if c.spec.Exists() {
			at = c.spec
		}
		c.fail(c.Place(at), "spec: expected a mapping with a defaultAction")
		return false
	}
	c.keys(c.spec, specKeys())
	for key := range c.spec.Members() {
		if key.Is("baseProfileName") || key.Is("disabled") || key.Is("targetWorkload") {
			c.leave[key] = true
		}
	}
	if name := kube.Member(c.spec, "baseProfileName"); name.Present() && name.Kind() != document.String {
		c.fail(c.Place(name), "baseProfileName: expected a string, got "+name.Kind().String()+" (put it in quotes)")
	}
	d := kube.Member(c.spec, "disabled")
	if d.Present() && d.Kind() != document.True && d.Kind() != document.False {
		c.fail(c.Place(d), "disabled: expected true or false, got "+d.Kind().String()+" (write it without quotes)")
	}
	if d.Kind() == document.True {
		c.warn(policy.Ignored, c.Place(d), "the profile is disabled: the operator does not write it to the nodes, and pods that name it do not start where it was not before")
	}
	c.labels()
	for _, a := range kube.Member(c.spec, "architectures").Elements() {
		if a.Kind() == document.String && !slices.Contains(architectures(), a.Text()) {
			name := a.Text()
			c.fail(c.Place(a), unknown.Quote(name)+": the operator takes no such architecture"+unknown.DidYouMean(unknown.Nearest(name, architectures())))
		}
	}
	if p := kube.Member(c.spec, "listenerPath"); c.version() == "v1" && p.Kind() == document.String && p.Text() != "" &&
		!isSocket(p.Text()) {
		c.fail(c.Place(p), "the operator takes sockets in /var/run/security-profiles-operator alone (put the agent's socket there)")
	}
	for _, rule := range kube.Member(c.spec, "syscalls").Elements() {
		c.rule(rule)
	}
	return true
}

// isSocket reports whether the API takes the path of a listener.
func isSocket(path string) bool {
	return len(path) <= 107 && regexp.MustCompile(`^/var/run/security-profiles-operator/[a-zA-Z0-9_.-]+$`).MatchString(path)
}

// labels warns of a profile that the operator has not finished.
func (c *checker) labels() {
	labels := kube.Member(kube.Member(c.Root, "metadata"), "labels")
	if l := kube.Member(labels, "spo.x-k8s.io/partial"); l.Kind() == document.String && l.Text() == "true" {
		c.warn(policy.Ignored, c.Place(l), "a part of a recording: the operator does not write it to the nodes before it is merged")
	}
}

func (c *checker) rule(rule document.Value) {
	c.keys(rule, []string{"names", "action", "errnoRet", "args"})
	if names := kube.Member(rule, "names"); names.Kind() == document.Array {
		empty := true
		for range names.Elements() {
			empty = false
			break
		}
		if empty {
			c.fail(c.Place(names), "names: the operator takes no rule without a name (name a call, or remove the rule)")
		}
	}
	for key, val := range rule.Members() {
		if !key.Is("errnoRet") || val.Kind() != document.Number {
			continue
		}
		switch n, err := strconv.ParseInt(val.Text(), 10, 64); {
		case err == nil && n == 0:
			c.leave[key] = true
			c.warn(policy.Ignored, c.Place(val), "errnoRet 0: the operator drops it, so that the error is EPERM (leave it out)")
		case c.version() == "v1" && (err != nil || n < 0 || n > 4095):
			c.fail(c.Place(val), "errnoRet "+val.Text()+": the operator takes errors from 1 to 4095")
		}
	}
	for _, arg := range kube.Member(rule, "args").Elements() {
		c.arg(arg)
	}
}

func (c *checker) arg(arg document.Value) {
	c.keys(arg, []string{"index", "value", "valueTwo", "op"})
	if index := kube.Member(arg, "index"); index.Kind() == document.Number {
		if n, err := strconv.ParseInt(index.Text(), 10, 64); err == nil && n > 5 {
			c.fail(c.Place(index), "index "+index.Text()+": a call has the arguments 0 to 5 (use one of these)")
		}
	}
	for key, val := range arg.Members() {
		if !key.Is("value") && !key.Is("valueTwo") || val.Kind() != document.Number {
			continue
		}
		if _, err := strconv.ParseUint(val.Text(), 10, 64); err == nil {
			if _, err := strconv.ParseInt(val.Text(), 10, 64); err != nil {
				c.fail(c.Place(val), key.Text()+": the operator takes values below 2^63 (an OCI profile takes larger ones)")
			}
		}
	}
}

// keys warns of those keys of an object that the API does not have, and leaves them out: the
// API server drops them.
func (c *checker) keys(object document.Value, known []string) {
	for key := range object.Members() {
		name := key.Text()
		if slices.Contains(known, name) {
			continue
		}
		c.leave[key] = true
		message := unknown.Quote(name) + ": SeccompProfile has no such key, and the API server drops or refuses it"
		if name == "defaultErrnoRet" {
			message += ": the error of the default action is EPERM"
		}
		c.warn(policy.UnknownKey, c.Place(key), message+unknown.DidYouMean(unknown.Nearest(name, known)))
	}
}
