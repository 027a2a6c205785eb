//go:build !webpage

package webpage

import "io/fs"

// Embedded returns nil: builds without the tag webpage need no npm.
func Embedded() fs.FS { return nil }
