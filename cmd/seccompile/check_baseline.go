package main

import (
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/lint"
)

// pulled reports whether the profiles are for a runtime to pull.
func (c *checkFlags) pulled() bool { return c.consumer == lint.KEP6061.String() }

// readBaselines reads what --baseline names.
func (a *app) readBaselines(c *checkFlags) error {
	if len(c.baselines) > 0 && !c.pulled() {
		return failure.Usagef("--baseline is for --for %v: no other program intersects profiles", lint.KEP6061)
	}
	for _, arg := range c.baselines {
		base, err := a.read(arg)
		if err == nil {
			err = base.WantProfile()
		}
		if err != nil {
			return err
		}
		c.bases = append(c.bases, base)
	}
	return nil
}
