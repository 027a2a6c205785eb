package vectors

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A generator collects profiles and rows.
type generator struct {
	t        testing.TB
	facts    facts
	profiles map[string]string
	rows     []row
	seen     map[string]bool
	offered  int // points
	asked    map[group]*asked
	reasons  map[group]string
}

func newGenerator(t testing.TB) *generator {
	return &generator{t: t, facts: readFacts(t), profiles: map[string]string{}, seen: map[string]bool{}, asked: map[group]*asked{}, reasons: map[group]string{}}
}

// profile adds a profile of entries in the short form of entryOf.
func (g *generator) profile(name, fallback string, entries ...string) string {
	var b strings.Builder
	action, data, _ := strings.Cut(strings.TrimSuffix(fallback, ")"), "(")
	fmt.Fprintf(&b, "{\n\t\"defaultAction\": \"SCMP_ACT_%s\",\n", action)
	if data != "" {
		fmt.Fprintf(&b, "\t\"defaultErrnoRet\": %s,\n", data)
	}
	b.WriteString("\t\"syscalls\": [")
	for i, e := range entries {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n\t\t" + entryOf(e))
	}
	b.WriteString("\n\t]\n}\n")
	return g.file(name, b.String())
}

// entryOf writes an entry: ACTION[(DATA)] NAME,NAME [: INDEX OP VALUE [VALUETWO], ...].
func entryOf(short string) string {
	head, conds, tests := strings.Cut(short, ":")
	fields := strings.Fields(head)
	action, data, _ := strings.Cut(strings.TrimSuffix(fields[0], ")"), "(")
	e := fmt.Sprintf(`{"names": ["%s"], "action": "SCMP_ACT_%s"`, strings.ReplaceAll(fields[1], ",", `", "`), action)
	if data != "" {
		e += `, "errnoRet": ` + data
	}
	if !tests {
		return e + "}"
	}
	var args []string
	for c := range strings.SplitSeq(conds, ",") {
		f := strings.Fields(c)
		if len(f) == 0 {
			continue
		}
		arg := fmt.Sprintf(`{"index": %s, "value": %s, `, f[0], f[2])
		if len(f) > 3 {
			arg += fmt.Sprintf(`"valueTwo": %s, `, f[3])
		}
		args = append(args, arg+fmt.Sprintf(`"op": "SCMP_CMP_%s"}`, f[1]))
	}
	return e + `, "args": [` + strings.Join(args, ", ") + "]}"
}

// file adds a profile as it is.
func (g *generator) file(name, text string) string {
	if old, ok := g.profiles[name]; ok && old != text {
		g.t.Fatalf("two profiles %s", name)
	}
	g.profiles[name] = text
	return name
}

// A point is a call with its name for people.
type point struct {
	label string
	call  call
}

// named returns a call by name; nothing if the ABI lacks it.
func (g *generator) named(a *abi, name string, args ...uint64) []point {
	nr, ok := a.numbers[name]
	if !ok {
		return nil
	}
	p := point{label: a.name + ":" + name, call: call{arch: a.arch, nr: nr}}
	copy(p.call.args[:], args)
	return []point{p}
}

// numbered returns calls by number.
func (g *generator) numbered(a *abi, numbers ...uint32) (list []point) {
	for _, nr := range numbers {
		list = append(list, point{label: a.name + ":-", call: call{arch: a.arch, nr: nr}})
	}
	return list
}

// with returns calls by name, once with each list of arguments.
func (g *generator) with(a *abi, name string, args ...[]uint64) (list []point) {
	for _, v := range args {
		list = append(list, g.named(a, name, v...)...)
	}
	return list
}

// A setting is how a profile is read.
type setting struct{ reading, options, targets string }

func on(targets string) setting           { return setting{"runc", "-", targets} }
func (s setting) like(r string) setting   { s.reading = r; return s }
func (s setting) option(o string) setting { s.options = o; return s }
func (g *generator) abi(name string) *abi { return g.facts.named(name) }

// read returns what a group asks for, once.
func (g *generator) read(x group) (*asked, string) {
	if p, ok := g.asked[x]; ok {
		return p, g.reasons[x]
	}
	var targets []*abi
	if x.targets != "-" {
		targets = g.facts.targets(g.t, x.targets)
	}
	text, ok := g.profiles[x.profile]
	if !ok {
		g.t.Fatalf("no profile %s", x.profile)
	}
	p, reason := meaningOf(g.facts, x, none).read(text, targets)
	g.asked[x], g.reasons[x] = p, reason
	return p, reason
}

// add adds rows for calls. A call that the group already has is left out.
func (g *generator) add(paragraph, profile string, s setting, points ...point) {
	g.t.Helper()
	x := group{profile, s.reading, s.options, s.targets}
	p, reason := g.read(x)
	if p == nil {
		g.t.Fatalf("%s %v is refused: %s", profile, s, reason)
	}
	m := meaningOf(g.facts, x, none)
	for _, point := range points {
		if paragraph != "1.8" && !g.keeps(s.targets) {
			continue
		}
		r := row{paragraph: paragraph, profile: profile, reading: s.reading, options: s.options, targets: s.targets, label: point.label, call: point.call}
		key := fmt.Sprint(x, point.call)
		if g.seen[key] {
			continue
		}
		g.seen[key] = true
		r.verdict = verdictText(m.verdict(p, point.call))
		g.rows = append(g.rows, r)
	}
}

// keeps reports whether a point is kept: of ABIs that are like others, a few are enough.
func (g *generator) keeps(targets string) bool {
	g.offered++
	switch targets {
	case "x86_64", "x32", "x86":
		return true
	case "s390x", "mips":
		return g.offered%2 == 0
	}
	return g.abi(targets) == nil || g.offered%5 == 0
}

// refused adds a row that says that the profile is refused.
func (g *generator) refused(paragraph, profile string, s setting) {
	g.t.Helper()
	x := group{profile, s.reading, s.options, s.targets}
	if p, _ := g.read(x); p != nil {
		g.t.Fatalf("%s %v is not refused", profile, s)
	}
	g.rows = append(g.rows, row{paragraph: paragraph, profile: profile, reading: s.reading, options: s.options, targets: s.targets, verdict: "REFUSED"})
}

// pair adds rows for two profiles together.
func (g *generator) pair(paragraph, first, second, targets string, points ...point) {
	g.t.Helper()
	for _, p := range points {
		var words [2]uint32
		for i, name := range []string{first, second} {
			x := group{name, "runc", "-", targets}
			asked, reason := g.read(x)
			if asked == nil {
				g.t.Fatalf("%s: %s", name, reason)
			}
			words[i] = meaningOf(g.facts, x, none).verdict(asked, p.call)
		}
		m := &meaning{facts: g.facts}
		enosys := g.facts[slices.IndexFunc(g.facts, func(a *abi) bool { return a.arch == p.call.arch })].enosys
		for _, op := range []string{"intersect", "union"} {
			for _, data := range []string{"kernel", "chain"} {
				about := paragraph
				if data == "kernel" && paragraph == "6.3" {
					about = "6.2"
				}
				g.rows = append(g.rows, row{
					paragraph: about, profile: first, second: second, op: op, data: data, targets: targets, label: p.label, call: p.call,
					parts: [2]string{verdictText(words[0]), verdictText(words[1])}, verdict: verdictText(m.together(op, data, enosys, words[0], words[1])),
				})
			}
		}
	}
}

// files returns the committed files that the generator makes, by name.
func (g *generator) files() map[string]string {
	verdicts, pairs := strings.Builder{}, strings.Builder{}
	verdicts.WriteString(version + columns)
	pairs.WriteString(version + pairHead)
	for i := range g.rows {
		if r := &g.rows[i]; r.second != "" {
			pairs.WriteString(r.String())
		} else {
			verdicts.WriteString(r.String())
		}
	}
	files := map[string]string{"verdicts.tsv": verdicts.String(), "pairs.tsv": pairs.String()}
	for _, name := range slices.Sorted(maps.Keys(g.profiles)) {
		files["profiles/"+name+".json"] = g.profiles[name]
	}
	return files
}
