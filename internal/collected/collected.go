// Package collected collects what is wrong with a policy while it is read, without end: a
// text may have a mistake in each of its many lines. Start with [Problems].
package collected

import (
	"strconv"

	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// MaxListed is how many warnings of a kind, and errors, are kept.
const MaxListed = 1000

// maxHints is how many names near unknown ones are looked for, which takes long.
const maxHints = 32

// Problems are the errors and warnings of one reading. The zero value has none.
type Problems struct {
	Errors   policy.Errors
	warnings []policy.Warning
	count    map[policy.WarningKind]int
	hints    int // that were given
}

// Warn adds a warning.
func (c *Problems) Warn(kind policy.WarningKind, place, text string) {
	if c.count == nil {
		c.count = make(map[policy.WarningKind]int)
	}
	if c.count[kind]++; c.count[kind] <= MaxListed {
		c.warnings = append(c.warnings, policy.Warning{Kind: kind, Pointer: place, Message: text})
	}
}

// Fail adds an error.
func (c *Problems) Fail(place, text string) {
	if len(c.Errors) < MaxListed {
		c.Errors = append(c.Errors, &policy.Error{Kind: policy.Invalid, Pointer: place, Reason: text})
	}
}

// Near returns a hint at what a word was meant for, which look finds. Only the first words
// get one.
func (c *Problems) Near(look func() string) string {
	if c.hints == maxHints {
		return ""
	}
	c.hints++
	return unknown.DidYouMean(look())
}

// Finish fills in the lines of all problems, and returns the warnings, and of each of some
// kinds how many more there are.
func (c *Problems) Finish(s *language.Source, kinds ...policy.WarningKind) []policy.Warning {
	s.Locate(c.warnings, c.Errors)
	for _, kind := range kinds {
		if more := c.count[kind] - MaxListed; more > 0 {
			c.warnings = append(c.warnings, policy.Warning{Kind: kind, Message: strconv.Itoa(more) + " more of these warnings are not listed", More: more})
		}
	}
	return c.warnings
}
