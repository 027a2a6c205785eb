package main

import (
	"github.com/seccompile/seccompile/internal/lint"
)

// checkInput reads what to check: a profile or, if a runtime is to pull it, perhaps its manifest.
// Of that it returns the review, and the layer as the profile, if there is one to review.
func (a *app) checkInput(c *checkFlags, arg string) (in *input, manifest *checked, err error) {
	if c.pulled() {
		in, manifest, err = a.pulledInput(arg)
	} else {
		in, err = a.read(arg)
	}
	if err == nil && in != nil && (!c.asked() || c.fix || c.consumer != "") { // else it may be anything that has a grade
		err = in.profile()
	}
	if err == nil && in != nil && in.kind == kindProfile && len(c.languages) == 0 {
		_, err = sniffLanguage(in)
	}
	return in, manifest, err
}

// pulledInput is checkInput for what a runtime is to pull.
func (a *app) pulledInput(arg string) (in *input, manifest *checked, err error) {
	in, err = a.open(arg)
	if err != nil || !lint.IsManifest(in.source) {
		return in, nil, err
	}
	if manifestOf(arg) != arg && lint.IsIndex(in.source) { // the index is the layout's, not the artifact's
		if in, err = in.inside(); err != nil {
			return nil, nil, err
		}
	}
	var path string
	report, layer := lint.CheckManifest(in.source, func(b lint.Blob) (data []byte, err error) {
		path, data, err = beside(in.path, b)
		return data, err
	})
	manifest = &checked{in: in, report: report}
	if layer == nil {
		return nil, manifest, nil
	}
	profile := newInput(path, shown(path), layer)
	if profile.kind == 0 {
		return nil, manifest, profile.unknown()
	}
	return profile, manifest, nil
}
