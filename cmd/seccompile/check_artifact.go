package main

import (
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
)

// checkInput reads what to check: a profile or, if a runtime is to pull it, perhaps its manifest.
// Of that it returns the review, and the layer as the profile, if there is one to review.
func (a *app) checkInput(c *checkFlags, arg string) (in *intake.Input, manifest *answer.Checked, err error) {
	if c.pulled() {
		in, manifest, err = a.pulledInput(arg)
	} else {
		in, err = a.read(arg)
	}
	if err == nil && in != nil && (!c.asked() || c.fix || c.consumer != "") { // else it may be anything that has a grade
		err = in.WantProfile()
	}
	if err == nil && in != nil && in.Kind == intake.KindProfile && len(c.Languages) == 0 {
		_, err = intake.SniffLanguage(in)
	}
	return in, manifest, err
}

// pulledInput is checkInput for what a runtime is to pull.
func (a *app) pulledInput(arg string) (in *intake.Input, manifest *answer.Checked, err error) {
	in, err = a.open(arg)
	if err != nil || !lint.IsManifest(in.Source) {
		return in, nil, err
	}
	if manifestOf(arg) != arg && lint.IsIndex(in.Source) { // the index is the layout's, not the artifact's
		if in, err = inside(in); err != nil {
			return nil, nil, err
		}
	}
	var path string
	report, layer := lint.CheckManifest(in.Source, func(b lint.Blob) (data []byte, err error) {
		path, data, err = beside(in.Path, b)
		return data, err
	})
	manifest = &answer.Checked{In: in, Report: report}
	if layer == nil {
		return nil, manifest, nil
	}
	profile := intake.New(path, failure.Shown(path), layer)
	if profile.Kind == 0 {
		return nil, manifest, profile.Unknown()
	}
	return profile, manifest, nil
}
