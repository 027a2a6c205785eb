package scan

import "github.com/seccompile/seccompile/internal/scan/code"

// cut reports whether a call is one that a program can never make.
func (p *program) cut(m *module, fn int, c code.Call) bool { return false }
