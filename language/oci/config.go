package oci

import (
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/policy"
)

// config reads the seccomp object of a whole config.json and ignores the rest.
func (r *reader) config(root document.Value) *policy.Policy {
	const noFilter = "missing: this config.json asks for no filter (add a seccomp object, or do not install a filter)"
	m, ok := r.pick(root, configKeys[:])
	if !ok {
		return nil
	}
	linux, ok := m.need("linux", "missing: this config.json is not for Linux (add linux with a seccomp object)")
	if !ok {
		return nil
	}
	m, ok = r.pick(linux, []key{{"seccomp", inConfig}})
	if !ok {
		return nil
	}
	seccomp, ok := m.need("seccomp", noFilter)
	if !ok {
		return nil
	}
	r.prefix = "/linux/seccomp"
	return r.profile(seccomp)
}
