package policy

import "fmt"

// A Mode chooses between the two readings of a profile.
type Mode uint8

const (
	// Runc decides everything as runc with libseccomp does.
	Runc Mode = iota
	// Strict takes the specification's MUSTs and the safer reading: unknown
	// names, errno values on actions without one, errno values above 4095, keys in
	// the wrong letter case and MIPS numbers of another ABI are refused instead of
	// tolerated.
	Strict
)

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
