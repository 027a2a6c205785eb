// Package licence collects the licences that want to be passed on with a program.
package licence

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Append adds the licences and notices in a module's directory, of which there must be one.
func Append(text *bytes.Buffer, module, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	names := regexp.MustCompile(`^(LICEN[CS]E|COPYING|NOTICE|PATENTS)(\.\w+)?$`)
	found := false
	for _, e := range entries {
		if !names.MatchString(e.Name()) || e.IsDir() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		found = true
		fmt.Fprintf(text, "%s\n%s: %s\n\n%s\n\n", strings.Repeat("=", 80), module, e.Name(), bytes.TrimRight(data, "\n"))
	}
	if !found {
		return fmt.Errorf("%s: no licence in %s", module, dir)
	}
	return nil
}
