package vectors

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// Each misreading contradicts some rows, among them rows of the paragraph that it gets
// wrong: so who reads the page like that finds out, and where.
func TestEveryMisreadingIsCaught(t *testing.T) {
	f, rows := readFacts(t), readRows(t)
	texts := map[string]string{}
	for i := range rows {
		for _, name := range []string{rows[i].profile, rows[i].second} {
			if name != "" && texts[name] == "" {
				text, err := os.ReadFile(dir + "profiles/" + name + ".json")
				if err != nil {
					t.Fatal(err)
				}
				texts[name] = string(text)
			}
		}
	}
	for wrong := range misreadingsEnd {
		if testing.Short() && wrong%4 > 0 {
			continue
		}
		caught := contradicted(t, f, texts, rows, wrong)
		if wrong == none {
			if len(caught) > 0 {
				t.Fatalf("rows contradict the page itself: %v", caught)
			}
			continue
		}
		says := misreadings[wrong]
		if says.says == "" || caught[says.paragraph] == 0 {
			t.Errorf("%q: no row of %s catches it, but %v", says.says, says.paragraph, caught)
		}
		var found []string
		for _, p := range slices.SortedFunc(maps.Keys(caught), func(a, b string) int { return caught[b] - caught[a] }) {
			found = append(found, fmt.Sprintf("%s: %d", p, caught[p]))
		}
		t.Logf("%s: %s\n    %s", says.paragraph, says.says, strings.Join(found, ", "))
	}
}

// contradicted counts by paragraph the rows that a misreading gets wrong.
func contradicted(t *testing.T, facts facts, texts map[string]string, rows []row, wrong misreading) map[string]int {
	t.Helper()
	caught := map[string]int{}
	type filter struct {
		*meaning
		*asked // nil if the profile is refused
	}
	filters := map[group]filter{}
	get := func(x group) filter {
		f, ok := filters[x]
		if !ok {
			f.meaning = meaningOf(facts, x, wrong)
			var targets []*abi
			if x.targets != "-" {
				targets = facts.targets(t, x.targets)
			}
			f.asked, _ = f.meaning.read(texts[x.profile], targets)
			filters[x] = f
		}
		return f
	}
	for i := range rows {
		r := &rows[i]
		verdict := "REFUSED"
		f := get(r.group())
		switch {
		case f.asked == nil:
		case r.label == "":
			verdict = "not refused"
		case r.second != "":
			if second := get(group{r.second, r.reading, r.options, r.targets}); second.asked != nil {
				a := facts[slices.IndexFunc(facts, func(a *abi) bool { return a.arch == r.call.arch })]
				x, y := f.verdict(f.asked, r.call), second.verdict(second.asked, r.call)
				switch {
				case !f.is(lackingSaysNothing):
				case !f.asked.has(r.call):
					x = y
				case !second.asked.has(r.call):
					y = x
				}
				verdict = verdictText(f.together(r.op, r.data, a.enosys, x, y))
			}
		default:
			verdict = verdictText(f.verdict(f.asked, r.call))
		}
		if verdict != r.verdict {
			caught[r.paragraph]++
		}
	}
	return caught
}
