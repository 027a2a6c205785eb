//go:build !linux

package scan

import "os"

// mapFile would map the contents of a file.
func mapFile(*os.File, int64) ([]byte, bool) { return nil, false }

func unmap([]byte) {}

func unload([]byte) {}
