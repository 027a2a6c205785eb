package policy

import "strconv"

var ops = [...]string{
	NotEqual:     "SCMP_CMP_NE",
	Less:         "SCMP_CMP_LT",
	LessEqual:    "SCMP_CMP_LE",
	Equal:        "SCMP_CMP_EQ",
	GreaterEqual: "SCMP_CMP_GE",
	Greater:      "SCMP_CMP_GT",
	MaskedEqual:  "SCMP_CMP_MASKED_EQ",
}

// String returns runtime-spec's name of the operator, such as "SCMP_CMP_EQ".
func (o Op) String() string {
	if o == 0 || int(o) >= len(ops) {
		return "Op(" + strconv.Itoa(int(o)) + ")"
	}
	return ops[o]
}

// parseOp returns the operator with this name. The reason is "" if there is one.
func parseOp(name string) (op Op, reason string) {
	for op := NotEqual; op <= MaskedEqual; op++ {
		if ops[op] == name {
			return op, ""
		}
	}
	return 0, unknown("operator", name, ops[NotEqual:])
}
