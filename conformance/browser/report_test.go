package browser

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/internal/report"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

func profile(t *testing.T, name string, data []byte) report.Profile {
	t.Helper()
	found := lint.Check(language.NewSource(data), lint.Options{
		Target:  policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")},
		Resolve: policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86, arch.X32}},
	})
	if found.Resolved == nil {
		t.Fatalf("%s: %v", name, found.Findings)
	}
	return report.Profile{Name: name, Report: found}
}

// planted returns Docker's default profile with two rules more and two names less.
func planted(t *testing.T) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(preset.Docker(), &doc); err != nil {
		t.Fatal(err)
	}
	rules := doc["syscalls"].([]any)
	names := rules[0].(map[string]any)["names"].([]any)
	rules[0].(map[string]any)["names"] = slices.DeleteFunc(names, func(n any) bool { return n == "splice" || n == "tee" })
	doc["syscalls"] = append(rules,
		map[string]any{"names": []any{"mount"}, "action": "SCMP_ACT_ALLOW"},
		map[string]any{"names": []any{"setns"}, "action": "SCMP_ACT_ALLOW", "args": []any{
			map[string]any{"index": 1, "value": 0x40000000, "op": "SCMP_CMP_EQ"},
		}})
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// pages returns the pages that are tried.
func pages(t *testing.T) (review, compare []byte) {
	t.Helper()
	a := profile(t, "docker-default", preset.Docker())
	b := profile(t, "a/rather/long/path/to/the/profile-that-is-planted.json", planted(t))
	review, err := report.Review(a, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if compare, _, err = report.Compare(a, b, report.Options{}); err != nil {
		t.Fatal(err)
	}
	return review, compare
}

func TestReport(t *testing.T) {
	b := start(t)
	review, compare := pages(t)
	t.Run("views", func(t *testing.T) { testViews(t, b, review, compare) })
	t.Run("search", func(t *testing.T) { testSearch(t, b, review) })
	t.Run("filters", func(t *testing.T) { testFilters(t, b, review) })
	t.Run("difference", func(t *testing.T) { testDifference(t, b, compare) })
	t.Run("keyboard", func(t *testing.T) { testKeyboard(t, b, review, compare) })
	t.Run("names", func(t *testing.T) { testNames(t, b, review, compare) })
	t.Run("contrast", func(t *testing.T) { testContrast(t, b, review, compare) })
	t.Run("theme", func(t *testing.T) { testTheme(t, b, review) })
	t.Run("picture", func(t *testing.T) { testPicture(t, b, review) })
	t.Run("no script", func(t *testing.T) { testNoScript(t, b, review) })
	t.Run("print", func(t *testing.T) { testPrint(t, b, review) })
}

// openAll opens everything that can be opened.
const openAll = `document.querySelectorAll('details').forEach(d => { d.open = true; });`

// Nothing is wider than the screen, open or closed, and the console stays empty.
func testViews(t *testing.T, b browser, review, compare []byte) {
	views := map[string]view{
		"light": {}, "dark": {dark: true}, "phone": {phone: true}, "phone-dark": {phone: true, dark: true},
		"print": {print: true}, "no-script": {noScript: true},
	}
	for kind, page := range map[string][]byte{"review": review, "compare": compare} {
		for name, v := range views {
			t.Run(kind+" "+name, func(t *testing.T) {
				x := b.open(t, page, v)
				for _, section := range []string{"main", "difference", "findings", "calls", "conditions", "cost", "tree"} {
					if eval[bool](x, fmt.Sprintf(`const e = document.getElementById(%q); if (e) e.scrollIntoView(); return e !== null;`, section)) {
						x.shoot(kind + "-" + name + "-" + section)
					}
				}
				for _, change := range []string{"", openAll} {
					if wide := eval[[]string](x, change+overflowing); len(wide) > 0 {
						t.Errorf("wider than the screen: %s", strings.Join(wide, "; "))
					}
				}
			})
		}
	}
}

// overflowing lists what makes the page scroll sideways.
const overflowing = `
	const width = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= width) return [];
	return [...document.querySelectorAll('body *')]
		.filter(e => e.getBoundingClientRect().right > width + 1 && !e.parentElement.closest('.scroll, pre'))
		.map(e => e.tagName + ' ' + e.textContent.slice(0, 40)).slice(0, 10);`

// press presses a key of a character as a keyboard does, so that the page may prevent
// that it is typed.
func (x tab) press(key string) {
	x.t.Helper()
	call(x, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key})
	call(x, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key})
}

// A row is a row of the table that is in view.
type row struct {
	Name    string
	Numbers []string
	Kinds   []string
	Changed bool
}

func rows(x tab) []row {
	return eval[[]row](x, `
		return [...document.querySelectorAll('#table tbody tr')].filter(tr => tr.checkVisibility()).map(tr => ({
			Name: tr.querySelector('code').textContent,
			Numbers: [...tr.querySelectorAll('data')].filter(d => d.checkVisibility()).map(d => d.textContent.trim()),
			Kinds: [...tr.querySelectorAll('td')].map(td => td.dataset.k),
			Changed: 'change' in tr.dataset,
		}));`)
}

func names(rows []row) string {
	var list []string
	for _, r := range rows {
		list = append(list, r.Name)
	}
	return strings.Join(list, " ")
}

func count(x tab) string {
	return eval[string](x, `return document.querySelector('[aria-live=polite]').textContent;`)
}

func testSearch(t *testing.T, b browser, page []byte) {
	x := b.open(t, page, view{})
	all := len(rows(x))
	if want := fmt.Sprintf("%d rows", all); count(x) != want || all < 400 {
		t.Errorf("%q of %d rows, want %q", count(x), all, want)
	}
	tests := []struct{ text, want string }{
		{"clone", "clone clone3"},
		{"CLONE3", "clone3"},
		{"41", "dup socket"},     // x86 and x86_64
		{"0x40000029", "socket"}, // x32
		{"1073741865", "socket"}, // the same
		{"epoll_create1", "epoll_create1"},
		{"no such call", ""},
	}
	for _, tt := range tests {
		x.press("/")
		x.do(chromedp.KeyEvent(tt.text))
		got := rows(x)
		if names(got) != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, names(got), tt.want)
		}
		if want := fmt.Sprintf("%d of %d rows", len(got), all); count(x) != want {
			t.Errorf("%q: says %q, want %q", tt.text, count(x), want)
		}
		if none := eval[bool](x, `return document.getElementById('nothing').checkVisibility();`); none != (tt.want == "") {
			t.Errorf("%q: the note that there is nothing: %v", tt.text, none)
		}
		x.do(chromedp.KeyEvent(kb.Escape))
		if n := len(rows(x)); n != all {
			t.Errorf("%q: %d rows after Escape, want %d", tt.text, n, all)
		}
		x.do(chromedp.Blur(chromedp.CSS("#q")))
	}
	x.press("/")
	x.press("/")
	if got := eval[string](x, `return document.getElementById('q').value;`); got != "/" {
		t.Errorf("a slash in the search is %q", got)
	}
}

func testFilters(t *testing.T, b browser, page []byte) {
	x := b.open(t, page, view{})
	all := len(rows(x))
	choose := func(abi string) {
		eval[bool](x, fmt.Sprintf(`const s = document.getElementById('abi'); s.value = %q; s.dispatchEvent(new Event('input', {bubbles: true})); return true;`, abi))
	}
	choose("x32")
	for _, r := range rows(x) {
		if len(r.Numbers) != 1 || !strings.HasPrefix(r.Numbers[0], "x32 0x4") {
			t.Errorf("x32: %s has numbers %v", r.Name, r.Numbers)
		}
	}
	if n := len(rows(x)); n == 0 || n >= all {
		t.Errorf("x32: %d rows of %d", n, all)
	}
	x.press("/")
	x.do(chromedp.KeyEvent("41")) // is x86_64's and x86's
	if got := names(rows(x)); got != "" {
		t.Errorf("x32 has no number 41, but %s", got)
	}
	x.do(chromedp.KeyEvent(kb.Escape))
	choose("")
	kinds := eval[[]string](x, `return [...document.querySelectorAll('[name=kind]')].map(r => r.value);`)
	if !slices.Equal(kinds, []string{"", "allow", "args", "errno", "enosys"}) {
		t.Errorf("verdicts to choose from: %q", kinds)
	}
	for _, kind := range kinds[1:] {
		x.do(chromedp.Click(chromedp.CSS("[name=kind][value=" + kind + "]")))
		list := rows(x)
		label := eval[string](x, `return document.querySelector('[name=kind]:checked + span').textContent;`)
		if !strings.HasSuffix(label, fmt.Sprintf(" %d", len(list))) || len(list) == 0 {
			t.Errorf("%q shows %d rows", label, len(list))
		}
		for _, r := range list {
			if !slices.Contains(r.Kinds, kind) {
				t.Errorf("%s: %s is %v", kind, r.Name, r.Kinds)
			}
		}
	}
	x.do(chromedp.Click(chromedp.CSS("[name=kind][value=args]")))
	if got := names(rows(x)); got != "clone personality socket" {
		t.Errorf("by arguments: %q", got)
	}
	x.do(chromedp.Click(chromedp.CSS("#open")))
	text := eval[string](x, `return document.getElementById('table').innerText;`)
	for _, want := range []string{"flags & (CLONE_NEWNS|", "persona == PER_LINUX32", "/syscalls/", "otherwise"} {
		if !strings.Contains(text, want) {
			t.Errorf("the open conditions do not say %q", want)
		}
	}
}

// The planted changes, and nothing else, are the difference.
func testDifference(t *testing.T, b browser, page []byte) {
	x := b.open(t, page, view{})
	if got, want := eval[string](x, `return document.querySelector('.answer').innerText;`), "B allows 2 calls that A denies: setns (by its arguments) and mount. It denies 2 calls that A allows: splice and tee."; got != want {
		t.Errorf("the answer is %q, want %q", got, want)
	}
	if got, want := eval[string](x, `return document.querySelector('h1').innerText.replace(/\s+/g, ' ').trim();`), "A docker-default → B profile-that-is-planted.json"; got != want {
		t.Errorf("the title is %q, want %q", got, want)
	}
	// Only what has changed is in view, what is weaker first.
	if got, want := names(rows(x)), "setns mount splice tee"; got != want {
		t.Errorf("changed: %q, want %q", got, want)
	}
	for _, r := range rows(x) {
		if !r.Changed || len(r.Kinds) != 2 {
			t.Errorf("%+v", r)
		}
	}
	text := eval[[]string](x, `return [...document.querySelectorAll('#difference .change')].map(e => e.innerText.replace(/\s+/g, ' ').trim());`)
	x.press("/") // whoever looks for a call finds it, changed or not
	x.do(chromedp.KeyEvent("clone3"))
	if got := names(rows(x)); got != "clone3" {
		t.Errorf("a search for clone3 finds %q", got)
	}
	x.do(chromedp.KeyEvent(kb.Escape))
	if got := len(rows(x)); got != 4 {
		t.Errorf("%d rows after the search, want 4", got)
	}
	want := []string{
		"weaker EPERM → allow mount setns if nstype == CLONE_NEWNET for example setns(fd=0, nstype=CLONE_NEWNET)",
		"stricter allow → EPERM splice tee",
	}
	if !slices.Equal(text, want) {
		t.Errorf("the difference is\n%s\nwant\n%s", strings.Join(text, "\n"), strings.Join(want, "\n"))
	}
	privileges := eval[[]string](x, `return [...document.querySelectorAll('.privileges tbody tr')].filter(e => e.checkVisibility()).map(e => e.innerText.replace(/\s+/g, ' ').trim());`)
	if want := []string{"create or enter other namespaces no yes by setns", "mount file systems or change the root of the mount tree no yes by mount",
		"move pages between pipes and files (splice, tee, vmsplice) yes by splice, tee, vmsplice yes by vmsplice"}; !slices.Equal(privileges, want) {
		t.Errorf("what a program can do differs in %q, want %q", privileges, want)
	}
}

// Everything that can be used is reached by Tab, shows that it has the focus, and is
// in view, with nothing before it.
func testKeyboard(t *testing.T, b browser, review, compare []byte) {
	for name, page := range map[string][]byte{"review": review, "compare": compare} {
		for device, v := range map[string]view{"desktop": {}, "phone": {phone: true}} {
			t.Run(name+" "+device, func(t *testing.T) {
				x := b.open(t, page, v)
				want := eval[int](x, `
					const all = [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
						.filter(e => e.checkVisibility() && e.tabIndex >= 0 && !(e.type === 'radio' && !e.checked));
					all.forEach((e, i) => { e.dataset.stop = i; });
					return all.length;`)
				reached := map[string]bool{}
				for range want {
					x.do(chromedp.KeyEvent(kb.Tab))
					s := eval[stop](x, focused)
					reached[s.Stop] = true
					if !s.Outlined {
						t.Errorf("%s does not show the focus", s.What)
					}
					if !s.InView {
						t.Errorf("%s has the focus out of view", s.What)
					}
				}
				if len(reached) != want {
					t.Errorf("Tab reaches %d elements of %d", len(reached), want)
				}
				if skipped := eval[string](x, `
					document.querySelector('.skip').focus(); return document.activeElement.textContent;`); skipped != "Skip to the content" {
					t.Errorf("no link to the content but %q", skipped)
				}
				x.do(chromedp.KeyEvent(kb.Enter))
				if id := eval[string](x, `return document.activeElement.id;`); id != "main" {
					t.Errorf("the link to the content goes to %q", id)
				}
			})
		}
	}
}

// A stop is an element that has the focus.
type stop struct {
	Stop, What       string
	Outlined, InView bool
}

const focused = `
	const e = document.activeElement;
	const shown = e.type === 'radio' ? e.nextElementSibling : e;
	const style = getComputedStyle(shown);
	const r = shown.getBoundingClientRect();
	const x = Math.min(Math.max(r.left, 0) + 4, innerWidth - 1), y = Math.max(r.top, 0) + Math.min(r.height, innerHeight) / 2;
	const top = document.elementFromPoint(x, Math.min(y, innerHeight - 1));
	return {
		Stop: e.dataset.stop || '', What: e.tagName + ' ' + (e.getAttribute('aria-label') || e.textContent).trim().slice(0, 40),
		Outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
		InView: r.bottom > 0 && r.top < innerHeight && r.right > 0 && r.left < innerWidth &&
			(e === top || e.contains(top) || (e.parentElement !== null && e.parentElement.contains(top))),
	};`

// Assistive technology has a name for everything that can be used, and the tables
// are tables.
func testNames(t *testing.T, b browser, review, compare []byte) {
	for name, page := range map[string][]byte{"review": review, "compare": compare} {
		t.Run(name, func(t *testing.T) {
			x := b.open(t, page, view{})
			tree, err := chromedp.Call(x, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
			if err != nil {
				t.Fatal(err)
			}
			roles := map[string]int{}
			for _, n := range tree.Nodes {
				if n.Ignored {
					continue
				}
				role, label := text(n.Role), text(n.Name)
				roles[role]++
				for _, p := range n.Properties {
					if p.Name == "focusable" && string(p.Value.Value) == "true" && label == "" && role != "main" {
						t.Errorf("a %s without a name", role)
					}
				}
				if (role == "image" || role == "table") && label == "" {
					t.Errorf("a %s without a name", role)
				}
			}
			for _, role := range []string{"banner", "navigation", "main", "search", "searchbox", "table", "rowheader", "columnheader", "status", "image", "contentinfo"} {
				if roles[role] == 0 {
					t.Errorf("nothing is a %s: %v", role, roles)
				}
			}
		})
	}
}

func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s string
	_ = json.Unmarshal(v.Value, &s) // what is no text has none
	return s
}

// Text has the contrast that WCAG 2.2 asks for at level AA.
func testContrast(t *testing.T, b browser, review, compare []byte) {
	for name, page := range map[string][]byte{"review": review, "compare": compare} {
		for scheme, dark := range map[string]bool{"light": false, "dark": true} {
			t.Run(name+" "+scheme, func(t *testing.T) {
				x := b.open(t, page, view{dark: dark})
				got := eval[struct {
					Texts int
					Faint []string
				}](x, openAll+contrast)
				if got.Texts < 1000 {
					t.Errorf("only %d texts", got.Texts)
				}
				for _, s := range got.Faint {
					t.Error(s)
				}
			})
		}
	}
}

const contrast = `
	const parse = s => (s.match(/[\d.]+/g) || []).map(Number);
	const clear = c => c.length === 4 && c[3] === 0;
	const luminance = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = e => {
		const box = e instanceof SVGElement && e.parentElement.querySelector('rect');
		if (box) return parse(getComputedStyle(box).fill);
		for (let n = e; n; n = n.parentElement) {
			const c = parse(getComputedStyle(n).backgroundColor);
			if (!clear(c)) return c;
		}
		return [255, 255, 255];
	};
	const faint = new Set();
	let texts = 0;
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const e = walker.currentNode.parentElement;
		if (!walker.currentNode.data.trim() || !e.checkVisibility() || /^(SCRIPT|STYLE|OPTION)$/.test(e.tagName) || e.tagName === 'title') continue;
		texts++;
		const style = getComputedStyle(e), svg = e instanceof SVGElement;
		const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
		const [a, b] = [luminance(parse(svg ? style.fill : style.color)), luminance(behind(e))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < (large ? 3 : 4.5)) {
			faint.add(e.tagName + '.' + (e.getAttribute('class') || '') + ' ' + JSON.stringify(e.textContent.slice(0, 30)) + ': ' + ratio.toFixed(2));
		}
	}
	return { Texts: texts, Faint: [...faint].slice(0, 20) };`

// colours are those of the page, a chip and the picture.
const colours = `
	const of = (s, p) => getComputedStyle(document.querySelector(s))[p];
	return [of('body', 'backgroundColor'), of('body', 'color'), of('.chip.allow', 'backgroundColor'), of('.tree text', 'fill'), of('.tree .test', 'fill')];`

// The page is light or dark as the system is, until the button says otherwise.
func testTheme(t *testing.T, b browser, page []byte) {
	light := eval[[]string](b.open(t, page, view{}), colours)
	x := b.open(t, page, view{dark: true})
	dark := eval[[]string](x, colours)
	for i := range light {
		if light[i] == dark[i] {
			t.Errorf("%s in light and dark", light[i])
		}
	}
	for _, want := range [][]string{light, dark} {
		x.do(chromedp.Click(chromedp.CSS("#theme")))
		if got := eval[[]string](x, colours); !slices.Equal(got, want) {
			t.Errorf("the button makes it %v, want %v", got, want)
		}
	}
}

func testPicture(t *testing.T, b browser, page []byte) {
	x := b.open(t, page, view{})
	width := func() float64 {
		return eval[float64](x, `return document.querySelector('.tree svg').getBoundingClientRect().width;`)
	}
	room := func() float64 {
		return eval[float64](x, `return document.querySelector('.tree .scroll').clientWidth;`)
	}
	natural := eval[float64](x, `return document.querySelector('.tree svg').viewBox.baseVal.width;`)
	if fitted := width(); fitted != min(natural, max(room(), natural/2)) {
		t.Errorf("at first the picture is %v wide; it is %v of its own, and there is room for %v", fitted, natural, room())
	}
	press := func(value string) {
		x.do(chromedp.Click(chromedp.CSS(".tree .zoom [value='" + value + "']")))
	}
	press("0")
	press("1.25")
	if width() <= natural {
		t.Errorf("zoomed in from %v to %v", natural, width())
	}
	press("0")
	if width() != natural {
		t.Errorf("actual size %v, want %v", width(), natural)
	}
	press("0.8")
	if width() >= natural {
		t.Errorf("zoomed out from %v to %v", natural, width())
	}
	press("fit")
	if width() != room() {
		t.Errorf("fit is %v, want %v", width(), room())
	}
	if heads := eval[string](x, `return getComputedStyle(document.querySelector('.tree marker path')).fill;`); heads == "rgb(0, 0, 0)" {
		t.Error("the heads of arrows have no colour")
	}
	text := eval[string](x, `document.querySelector('.tree .text').open = true; return document.querySelector('.tree pre').innerText;`)
	if !strings.Contains(text, "clone → ") {
		t.Errorf("the picture as text is %q", text)
	}
}

func testNoScript(t *testing.T, b browser, page []byte) {
	x := b.open(t, page, view{noScript: true})
	if n := len(rows(x)); n < 400 {
		t.Errorf("only %d rows", n)
	}
	if dead := eval[int](x, `return [...document.querySelectorAll('button, input, select')].filter(e => e.checkVisibility()).length;`); dead != 0 {
		t.Errorf("%d controls that do nothing", dead)
	}
	x.do(chromedp.Click(chromedp.CSS("#table details summary")))
	if !eval[bool](x, `return document.querySelector('#table .rules').checkVisibility();`) {
		t.Error("conditions do not open")
	}
}

func testPrint(t *testing.T, b browser, page []byte) {
	x := b.open(t, page, view{print: true, dark: true})
	if got := eval[bool](x, `return ['.tools', 'nav', '#theme'].some(s => document.querySelector(s).checkVisibility());`); got {
		t.Error("controls are printed")
	}
	if got := eval[string](x, `return getComputedStyle(document.body).color;`); got == "rgb(230, 235, 241)" {
		t.Error("dark colours are printed")
	}
	if !eval[bool](x, `return document.querySelector('#table .rules').getBoundingClientRect().height > 10;`) {
		t.Error("closed conditions are not printed")
	}
	pdf, err := chromedp.Run(x, chromedp.PrintToPDF())
	if err != nil || len(pdf) < 10_000 {
		t.Errorf("a PDF of %d bytes (%v)", len(pdf), err)
	}
}
