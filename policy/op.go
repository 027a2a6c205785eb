package policy

import "strconv"

// An Op compares an argument with a constant. All comparisons are unsigned. The
// zero Op is invalid.
type Op uint8

// The operators of runtime-spec, and one that it lacks: the opposite of MaskedEqual.
const (
	NotEqual Op = iota + 1
	Less
	LessEqual
	Equal
	GreaterEqual
	Greater
	MaskedEqual
	MaskedNotEqual
)

var ops = [...]string{
	NotEqual:       "SCMP_CMP_NE",
	Less:           "SCMP_CMP_LT",
	LessEqual:      "SCMP_CMP_LE",
	Equal:          "SCMP_CMP_EQ",
	GreaterEqual:   "SCMP_CMP_GE",
	Greater:        "SCMP_CMP_GT",
	MaskedEqual:    "SCMP_CMP_MASKED_EQ",
	MaskedNotEqual: "MASKED_NE",
}

// String returns runtime-spec's name of the operator, such as "SCMP_CMP_EQ", and
// "MASKED_NE".
func (o Op) String() string {
	if o == 0 || int(o) >= len(ops) {
		return "Op(" + strconv.Itoa(int(o)) + ")"
	}
	return ops[o]
}

// masked reports whether the operator compares under a mask of its own.
func (o Op) masked() bool { return o == MaskedEqual || o == MaskedNotEqual }
