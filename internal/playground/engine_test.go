package playground

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/seccompile/seccompile/preset"
)

// failure asks a question that has no answer.
func failureOf(t testing.TB, e *Engine, op string, question any) *Failure {
	t.Helper()
	var r struct {
		Answer  json.RawMessage
		Failure *Failure
	}
	if err := json.Unmarshal(ask(t, e, op, question), &r); err != nil {
		t.Fatal(err)
	}
	if r.Failure == nil {
		t.Fatalf("%s: answered %.300s", op, r.Answer)
	}
	return r.Failure
}

func TestFailures(t *testing.T) {
	e := New("")
	good := Source{Text: string(preset.Docker()), Name: "docker.json"}
	x86 := Target{ABIs: []string{"x86_64"}}
	for _, test := range []struct {
		name, op   string
		question   any
		want, hint string
	}{
		{"unknown op", "dance", nothing{}, `unknown question "dance"`, ""},
		{"unknown example", "gallery", galleryOf{"x"}, `gallery: unknown example "x"`, ""},
		{"unknown ABI", "calls", callsOf{"vax"}, `ABIs: "vax": unknown ABI`, "Go's names"},
		{"unknown ABI of a target", "read", Subject{good, Target{ABIs: []string{"x86-64"}}}, `did you mean x86_64?`, ""},
		{"unknown mode", "read", Subject{good, Target{ABIs: x86.ABIs, Mode: "docker"}}, `Runtime: unknown mode "docker"`, ""},
		{"unknown kernel", "read", Subject{good, Target{ABIs: x86.ABIs, Kernel: "six"}}, "Linux: ", ""},
		{"unknown capability", "read", Subject{good, Target{ABIs: x86.ABIs, Caps: []string{"SYS_ADMINN"}}}, "Capabilities: unknown capability", "CAP_SYS_ADMIN"},
		{"unknown consumer", "read", Subject{good, Target{ABIs: x86.ABIs, Consumer: "dokcer"}}, `Check for: unknown`, ""},
		{"unknown language", "read", Subject{Source{Text: "x", Language: "perl"}, x86}, `Language: unknown language "perl"`, ""},
		{"unknown setting", "read", Subject{Source{Text: "x", Language: "kafel", Settings: []string{"a=b"}}, x86}, "Settings a=b", ""},
		{"two dialects", "read", Subject{Source{Text: "read: 1", Name: "a.policy"}, x86}, "two dialects", "minijail (minijail0 -S)"},
		{"not base64", "read", Subject{Source{Text: "%%%", Binary: true, Name: "f.bpf"}, x86}, "f.bpf: not base64", ""},
		{"a program", "read", Subject{Source{Text: base64.StdEncoding.EncodeToString([]byte("\x7fELF\x02")), Binary: true}, x86}, "a program or library", ""},
		{"too large", "read", Subject{Source{Text: strings.Repeat(" ", maxSource+1)}, x86}, "larger than 4 MiB", "the command"},
		{"much too large", "read", Subject{Source{Text: strings.Repeat(" ", maxQuestion)}, x86}, "larger than 4 MiB", "the command"},
		{"too many rules of a call", "read", Subject{Source{Text: rulesOf("ioctl", maxClauses+1)}, x86}, "rules are about ioctl, and this page takes at most 1000", "the command"},
		{"broken profile", "meaning", Subject{Source{Text: `{"defaultAction": "SCMP_ACT_SPRING"}`}, x86}, "SCMP_ACT_SPRING", ""},
		{"unknown stage", "draw", drawOf{Subject{good, x86}, "forest", ""}, `unknown stage "forest"`, ""},
		{"unknown call", "draw", drawOf{Subject{good, x86}, diagram, "opeen"}, `unknown system call "opeen"`, "did you mean open?"},
		{"call of another ABI", "draw", drawOf{Subject{good, x86}, diagram, "sync_file_range2"}, "sync_file_range2", ""},
		{"call of nobody", "eval", evalOf{Subject{good, x86}, CallText{Text: "opeen(0)"}, diagram, ""}, `unknown system call "opeen"`, "did you mean open?"},
		{"constant of nobody", "eval", evalOf{Subject{good, x86}, CallText{Text: "socket(AF_ALGG)"}, diagram, ""}, "AF_ALGG", "AF_ALG"},
		{"seven arguments", "eval", evalOf{Subject{good, x86}, CallText{Text: "read(1,2,3,4,5,6,7)"}, diagram, ""}, "at most 6 arguments", ""},
		{"other byte order", "eval", evalOf{Subject{good, x86}, CallText{"s390x", "read"}, diagram, ""}, "big-endian", "choose another ABI"},
		{"nothing typed", "eval", evalOf{Subject{good, x86}, CallText{}, diagram, ""}, "the name of the call is missing", ""},
		{"no box", "trail", trailOf{Subject{good, x86}, diagram, "", Spot{Node: ptr(-1)}}, "nothing is drawn", ""},
		{"no instruction", "trail", trailOf{Subject{good, x86}, diagram, "", Spot{PC: ptr(1 << 20)}}, "no instruction", ""},
		{"no spot", "trail", trailOf{Subject{good, x86}, diagram, "", Spot{}}, "nothing is pointed at", ""},
		{"both byte orders", "compare", compareOf{Subject{good, x86}, Source{Text: ".order big\nret ALLOW"}}, "endian", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := failureOf(t, e, test.op, test.question)
			if !strings.Contains(f.Message, test.want) || !strings.Contains(f.Hint, test.hint) || strings.Contains(f.Message, "BUG") {
				t.Errorf("%q (%q), want %q (%q)", f.Message, f.Hint, test.want, test.hint)
			}
		})
	}
	if reply := string(e.Answer([]byte("{"))); !strings.Contains(reply, "the question cannot be read") {
		t.Errorf("broken JSON: %s", reply)
	}
}

func ptr[T any](v T) *T { return &v }

// rulesOf returns a profile with so many rules about one call, which have nothing in common.
func rulesOf(call string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,{"names": [%q], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": %d, "op": "SCMP_CMP_EQ"}]}`, call, i*i)
	}
	return `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [` + b.String()[1:] + `]}`
}

// A line of strace is a call, in the call box and as an expectation.
func TestStrace(t *testing.T) {
	e := New("")
	s := Subject{Source{Text: string(preset.Docker()), Name: "docker.json"}, Target{ABIs: []string{"x86_64"}}}
	line := `[pid 7] openat(AT_FDCWD, "/a: b # (c", O_RDONLY) = 3`
	v := answered[Verdict](t, e, "eval", evalOf{s, CallText{Text: line}, diagram, ""})
	if v.Call != "openat(AT_FDCWD, ?, O_RDONLY)" || v.Text != "x86_64 openat(dirfd=AT_FDCWD, pathname=?, flags=O_RDONLY)" {
		t.Errorf("%s: %q, %q", line, v.Call, v.Text)
	}
	list := []Expectation{{"", line, "allow"}, {"x86_64", "clone(?)", "allow"}}
	outcomes := answered[[]Outcome](t, e, "expect", expectOf{s, list})
	if !outcomes[0].Pass || outcomes[1].Failure == nil || !strings.Contains(outcomes[1].Failure.Message, "depends on flags") {
		t.Errorf("%+v", outcomes)
	}
	file := answered[Download](t, e, "write-expectations", writeOf{list})
	if want := "\nopenat(AT_FDCWD, ?, O_RDONLY): allow\nx86_64 clone(?): allow\n"; !strings.HasSuffix(file.Text, want) {
		t.Errorf("%q, want %q at the end", file.Text, want)
	}
}

func TestFindings(t *testing.T) {
	e := New("")
	x86 := Target{ABIs: []string{"x86_64"}}
	for _, test := range []struct {
		name   string
		source Source
		id     string
		place  string
		reason string
	}{
		{"broken JSON", Source{Text: "{\"\U0001f642\": 1,\n \"defaultAction\": }"}, "syntax", "}", ""},
		{"unknown action", Source{Text: `{"defaultAction": "SCMP_ACT_SPRING"}`}, "invalid", `"SCMP_ACT_SPRING"`, "SCMP_ACT_SPRING"},
		{"unknown name", Source{Text: "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"\U0001f642\", \"opeen\"], \"action\": \"SCMP_ACT_ERRNO\"}]}"}, "unknown-name", `"opeen"`, "opeen"},
		{"minijail", Source{Text: "# \U0001f642\nread: 1\nwrite: arg9 == 1\n", Language: "minijail-c"}, "syntax", "arg9 == 1", "arg9"},
		{"YAML", Source{Text: "defaultAction: SCMP_ACT_ALLOW\nsyscalls:\n- names: [opeen]\n  action: SCMP_ACT_ERRNO\n"}, "unknown-name", "opeen]", "opeen"},
		{"assembly", Source{Text: ".order little\n  jump 4\nret ALLOW"}, "", "jump 4", "unknown instruction"},
		{"systemd", Source{Text: "[Service]\nSystemCallFilter=@nosuch\n"}, "", "@nosuch", "@nosuch"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := answered[Reading](t, e, "read", Subject{test.source, x86})
			if without := answered[Reading](t, e, "read", Subject{test.source, Target{}}); !r.Good && !slices.EqualFunc(r.Findings, without.Findings, func(a, b Finding) bool { return a.Span == b.Span && a.Reason == b.Reason }) {
				t.Errorf("without ABIs: %+v\nwith: %+v", without.Findings, r.Findings)
			}
			i := slices.IndexFunc(r.Findings, func(f Finding) bool {
				return strings.Contains(f.Reason, test.reason) && cut(test.source.Text, f.Span) == test.place && (test.id == "" || f.ID == test.id)
			})
			if i < 0 {
				for _, f := range r.Findings {
					t.Errorf("%+v at %q", f, cut(test.source.Text, f.Span))
				}
			}
			if bad := slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity == "error" }); !r.Good && !bad {
				t.Error("the source is refused and nothing says why")
			}
		})
	}
}

// The edits of a finding cure it.
func TestFixes(t *testing.T) {
	e := New("")
	text := "\ufeff{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"\U0001f642\": 1,\n\"syscalls\": [{\"names\": [\"read\", \"read\", \"opeen\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": null}]}"
	x86 := Target{ABIs: []string{"x86_64"}}
	fixed := 0
	for _, f := range answered[Reading](t, e, "read", Subject{Source{Text: text}, x86}).Findings {
		if f.Edits == nil {
			continue
		}
		fixed++
		units := cut(text, Span{0, f.Edits[0].From})
		at := f.Edits[0].To
		for i, edit := range f.Edits {
			if i > 0 {
				units += cut(text, Span{at, edit.From})
			}
			units, at = units+edit.Insert, edit.To
		}
		after := units + string([]rune(text)[len([]rune(cut(text, Span{0, at}))):])
		r := answered[Reading](t, e, "read", Subject{Source{Text: after}, x86})
		if slices.ContainsFunc(r.Findings, func(g Finding) bool { return g.ID == f.ID && g.Reason == f.Reason }) || !r.Good {
			t.Errorf("%s is still there:\n%s", f.ID, after)
		}
	}
	if fixed == 0 {
		t.Error("nothing can be fixed")
	}
}

// A word that is misspelt is mended in place.
func TestSpelling(t *testing.T) {
	e := New("")
	for _, test := range []struct{ name, text, language, want string }{
		{"call", `{"defaultAction": "SCMP_ACT_ALLOW", "🙂": 1, "syscalls": [{"names": ["raed"], "action": "SCMP_ACT_ERRNO"}]}`, "", `["read"]`},
		{"action", `{"defaultAction": "SCMP_ACT_ALOW"}`, "", `{"defaultAction": "SCMP_ACT_ALLOW"}`},
		{"architecture", `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_46"]}`, "", `["SCMP_ARCH_X86_64"]`},
		{"minijail", "# \U0001f642\nraed: 1\n", "minijail-c", "\nread: 1"},
		{"systemd", "[Service]\nSystemCallFilter=read @sytem-service\n", "", "=read @system-service\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := Subject{Source{Text: test.text, Language: test.language}, Target{}}
			for _, f := range answered[Reading](t, e, "read", s).Findings {
				if len(f.Edits) == 1 {
					units := utf16.Encode([]rune(test.text))
					edit := f.Edits[0]
					mended := string(utf16.Decode(slices.Concat(units[:edit.From], utf16.Encode([]rune(edit.Insert)), units[edit.To:])))
					if strings.Contains(mended, test.want) {
						return
					}
					t.Errorf("%s", mended)
				}
			}
			t.Error("nothing mends it")
		})
	}
}

// A raw filter is known as base64 and as hexadecimal digits, too.
func TestPasted(t *testing.T) {
	e := New("")
	raw := answered[Download](t, e, "download", downloadOf{Subject{Source{Text: ".order little\nld nr\njeq #1 jf 2\nret ALLOW\n2: ret ERRNO(1)"}, Target{}}, "raw"})
	data, err := base64.StdEncoding.DecodeString(raw.Text)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{raw.Text, raw.Text[:8] + "\n " + raw.Text[8:], hex.EncodeToString(data), strings.ToUpper(fmt.Sprintf("% x\n", data))} {
		if r := answered[Reading](t, e, "read", Subject{Source{Text: text}, Target{}}); r.Kind != "filter" || r.Instructions != 4 {
			t.Errorf("%q: %+v", text, r)
		}
	}
	for _, text := range []string{"read", "deadbeef", strings.Repeat("A", 32), strings.Repeat("0", 1<<20)} {
		if pasted(text) != nil {
			t.Errorf("%.40q is a filter", text)
		}
	}
}

func TestEmpty(t *testing.T) {
	e := New("")
	for _, text := range []string{"", " \n", "\ufeff"} {
		if r := answered[Reading](t, e, "read", Subject{Source{Text: text}, Target{}}); r.Kind != "empty" || r.Good || len(r.Findings) != 0 {
			t.Errorf("%q: %+v", text, r)
		}
		failureOf(t, e, "meaning", Subject{Source{Text: text}, Target{}})
	}
}

// Without ABIs of the target, a profile is read for those that it names, or for x86_64.
func TestABIs(t *testing.T) {
	e := New("")
	for _, test := range []struct {
		text string
		want string
	}{
		{`{"defaultAction": "SCMP_ACT_ALLOW"}`, "x86_64"},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]}`, "aarch64 arm"},
		{string(preset.Docker()), "x86_64 x32 x86"},
		{".order big\nret ALLOW", "s390x"},
		{".order little\nret ALLOW", "x86_64"},
		{".order little\nld arch\njeq aarch64 jf 9\nret ALLOW\n9: ret KILL_PROCESS", "aarch64"},
	} {
		r := answered[Reading](t, e, "read", Subject{Source{Text: test.text}, Target{}})
		if got := strings.Join(r.ABIs, " "); got != test.want {
			t.Errorf("%.60q: %s, want %s", test.text, got, test.want)
		}
	}
}

// What the engine was asked last it knows still, and the same question has the same answer.
func TestMemo(t *testing.T) {
	e := New("")
	ask1 := func(i int) string {
		s := Subject{Source{Text: fmt.Sprintf(`{"defaultAction": "SCMP_ACT_TRACE", "defaultErrnoRet": %d}`, i)}, Target{}}
		return string(ask(t, e, "meaning", s))
	}
	for i := range 3 * remembered {
		if first, second := ask1(i), ask1(i); first != second || !strings.Contains(first, fmt.Sprintf("TRACE(%d)", i)) {
			t.Errorf("%s\n%s", first, second)
		}
	}
	if len(e.memo) != remembered {
		t.Errorf("%d subjects are remembered", len(e.memo))
	}
	if again := ask1(0); !strings.Contains(again, "TRACE(0)") {
		t.Error(again)
	}
}

// A panic is a failure of one question, and says that it is a mistake of ours.
func TestPanic(t *testing.T) {
	e := New("")
	e.handlers["panic"] = on(func(*Engine, *nothing) (any, error) { panic("no") })
	if f := failureOf(t, e, "panic", nothing{}); f.Message != "BUG: no" || f.Hint == "" {
		t.Errorf("%+v", f)
	}
	answered[Vocabulary](t, e, "vocabulary", nothing{})
}

// manyRules returns a profile with rules, of which the first have different conditions.
func manyRules(n, conditional int) string {
	calls := []string{"socket", "ioctl", "fcntl", "prctl", "keyctl", "mmap", "clone", "personality", "futex", "openat"}
	var b strings.Builder
	b.WriteString(`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		if i >= conditional {
			fmt.Fprintf(&b, "\n"+`{"names": ["%s"], "action": "SCMP_ACT_ALLOW"}`, calls[i%3])
			continue
		}
		fmt.Fprintf(&b, "\n"+`{"names": ["%s"], "action": "SCMP_ACT_ALLOW", "args": [{"index": %d, "value": %d, "op": "SCMP_CMP_EQ"}]}`, calls[i%len(calls)], i%3, i)
	}
	b.WriteString("]}")
	return b.String()
}

// Profiles with 10,000 rules are read, whether or not their filter fits the kernel.
func TestManyRules(t *testing.T) {
	e := New("")
	good := 0
	for _, conditional := range []int{0, 1000, 10_000} {
		const n = 10_000
		s := Subject{Source{Text: manyRules(n, conditional)}, Target{ABIs: []string{"x86_64"}}}
		r := answered[Reading](t, e, "read", s)
		if r.Good {
			good++
			if len(r.Rules) != n {
				t.Errorf("%d rules have a place", len(r.Rules))
			}
			answered[[]ABIMeaning](t, e, "meaning", s)
			answered[[]Instruction](t, e, "program", s)
			answered[Verdict](t, e, "eval", evalOf{s, CallText{Text: "socket(5)"}, diagram, ""})
			answered[Drawing](t, e, "draw", drawOf{s, diagram, "socket"})
			answered[Trail](t, e, "trail", trailOf{s, diagram, "", Spot{Pointer: ptr("/syscalls/7")}})
		} else if len(r.Findings) == 0 {
			t.Errorf("%+v", r)
		}
	}
	if good != 2 {
		t.Errorf("%d profiles have a filter", good)
	}
}

func FuzzAnswer(f *testing.F) {
	e := New("")
	for op := range handlers() {
		f.Add(op, `{"defaultAction": "SCMP_ACT_ALLOW"}`, "", "x86_64", "read(1)")
	}
	for _, x := range examples() {
		example, err := x.example()
		if err != nil {
			f.Fatal(err)
		}
		f.Add("read", example.Source.Text, example.Source.Language, "x86_64", "read")
	}
	f.Fuzz(func(t *testing.T, op, text, language, abi, call string) {
		q, err := json.Marshal(map[string]any{
			"op": op, "source": Source{Text: text, Language: language, Binary: len(text)%7 == 6}, "target": Target{ABIs: []string{abi}},
			"second": Source{Text: text}, "stage": diagram, "spot": Spot{PC: ptr(len(text))}, "id": call, "abi": abi, "text": text,
			"call": map[bool]any{true: CallText{abi, call}, false: call}[op == "eval"], "expectations": []Expectation{{abi, call, text}},
			"how": language, "format": language,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, question := range [][]byte{q, []byte(text)} {
			reply := e.Answer(question)
			if !json.Valid(reply) || strings.Contains(string(reply), `"message":"BUG`) {
				t.Errorf("%s\n%.1000s", question, reply)
			}
		}
	})
}
