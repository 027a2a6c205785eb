package policy

import "fmt"

// modes names every Mode.
var modes = [...]string{Runc: "runc", Strict: "strict"}

// ParseMode reads "runc" or "strict".
func ParseMode(s string) (Mode, error) {
	for m, name := range modes {
		if s == name {
			return Mode(m), nil
		}
	}
	return 0, fmt.Errorf("policy: mode %q is unknown (known: runc, strict)", s)
}

// String returns "runc" or "strict".
func (m Mode) String() string {
	if int(m) >= len(modes) {
		return fmt.Sprintf("Mode(%d)", uint8(m))
	}
	return modes[m]
}
