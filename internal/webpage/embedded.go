//go:build webpage

package webpage

import (
	"embed"
	"io/fs"
)

//go:embed site
var site embed.FS

// Embedded returns the page that make web wrote into this package, its files compressed.
func Embedded() fs.FS {
	files, err := fs.Sub(site, "site")
	if err != nil {
		panic("webpage: BUG: " + err.Error()) // the name is valid
	}
	return files
}
