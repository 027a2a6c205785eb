package lint

import (
	"bytes"

	"github.com/seccompile/seccompile/language"
)

// A Fixed is a profile with those findings cured that have a mechanical cure.
type Fixed struct {
	// Text is the profile. What no cure is about is as it was: order, layout, comments and
	// unknown keys.
	Text []byte
	// Cured are the findings that are gone, with their places in the text that they were
	// found in.
	Cured []Finding
	// Report is what Check finds in Text.
	Report *Report
}

// maxRounds bounds how often Fix reads the text anew: a cure can show what others need, and
// each round sees a bounded number of findings. A profile needs three at most, unless it has
// hundreds of findings of one kind.
const maxRounds = 100

// Fix cures what it can of what Check finds. Errors and warnings are cured as their fix
// says; a note only where that leaves the filter of this target as it is. Nothing is
// changed where several cures are possible, or where the rules of a call depend on the
// target.
func Fix(s *language.Source, o Options) Fixed {
	fixed := Fixed{Text: s.Data()}
	for range maxRounds {
		r := review(s, o)
		var cures []*cure
		var cured []Finding
		for _, f := range r.Findings {
			if f.Fixable() {
				cures, cured = append(cures, f.cure), append(cured, f)
			}
		}
		text, changed := r.cured(cures)
		if mark := []byte("\ufeff"); changed && bytes.HasPrefix(s.Data(), mark) {
			text = append(mark, text...)
		}
		if !changed || bytes.Equal(text, s.Data()) {
			break
		}
		s = language.NewSource(text)
		fixed.Text, fixed.Cured = text, append(fixed.Cured, cured...)
	}
	fixed.Report = Check(s, o)
	return fixed
}
