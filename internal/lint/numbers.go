package lint

import (
	"errors"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// NameNumbers adds the number to write to those problems in err that are about a
// constant's name in the place of an argument's value, as it is on an ABI. err comes from
// reading s.
func NameNumbers(s *language.Source, a arch.ABI, err error) {
	var problems policy.Errors
	doc, broken := s.JSON()
	if !errors.As(err, &problems) || broken != nil {
		return
	}
	for _, p := range problems[:min(len(problems), maxNamed)] {
		cond := parent(p.Pointer)
		if key := last(p.Pointer); p.Reason != "expected a number, got a string" || key != "value" && key != "valueTwo" {
			continue
		}
		index, err := strconv.Atoi(doc.Lookup(cond + "/index").Text())
		if err != nil || index < 0 || index > 5 {
			continue
		}
		for _, name := range doc.Lookup(parent(parent(cond)) + "/names").Elements() {
			call, known := syscalltables.Lookup(name.Text())
			if n, err := symbols.At(a, call, index).Parse(doc.Lookup(p.Pointer).Text()); known && err == nil {
				p.Reason += " (write " + strconv.FormatUint(n, 10) + ")"
				break
			}
		}
	}
}

// maxNamed is how many problems get a cure: finding one takes long in a large profile.
const maxNamed = 32
