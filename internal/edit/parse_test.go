package edit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/internal/symbols/phrase"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

func one(t *testing.T, text string) Spec {
	t.Helper()
	specs, err := Parse(text)
	if err != nil || len(specs) != 1 {
		t.Fatalf("%s: %d calls, %v", text, len(specs), err)
	}
	return specs[0]
}

// matches reports whether a spec is about a call with some arguments.
func (s *Spec) matches(a arch.ABI, args [6]uint64) bool {
	lists, _ := s.When.lists(a, s.Call)
	return matches(lists, args)
}

// matches reports whether one of the lists of conditions holds.
func matches(lists [][]policy.Cond, args [6]uint64) bool {
	return slices.ContainsFunc(lists, func(conds []policy.Cond) bool {
		return !slices.ContainsFunc(conds, func(c policy.Cond) bool { return !holds(c, args[c.Arg]) })
	})
}

func TestConditions(t *testing.T) {
	const newUser = 0x10000000
	tests := []struct {
		abi     arch.ABI
		text    string
		yes, no [6]uint64
	}{
		{arch.X86_64, "socket(family == AF_UNIX)", [6]uint64{1}, [6]uint64{2}},
		{arch.X86_64, "socket(family != AF_UNIX)", [6]uint64{1 | 1<<32}, [6]uint64{1}},
		{arch.X86, "socket(family != AF_UNIX)", [6]uint64{2}, [6]uint64{1}},
		{arch.X86_64, "socket(family == 1 && type & 0xf == SOCK_STREAM)", [6]uint64{1, 0x80001}, [6]uint64{1, 2}},
		{arch.X86_64, "socket(family == 1 and (type == 1 or type == 2))", [6]uint64{1, 2}, [6]uint64{1, 3}},
		{arch.X86_64, "socket((family == 1 || family == 2) && (type == 1 || type == 2))", [6]uint64{2, 1}, [6]uint64{3, 1}},
		{arch.X86_64, "clone(flags & CLONE_NEWUSER == 0)", [6]uint64{0x11}, [6]uint64{newUser}},
		{arch.X86_64, "clone((flags & CLONE_NEWUSER) != 0)", [6]uint64{newUser}, [6]uint64{0}},
		{arch.S390X, "clone(flags & CLONE_NEWUSER != 0)", [6]uint64{0, newUser}, [6]uint64{newUser}}, // the second argument there
		{arch.X86_64, "clone(flags & (CLONE_NEWUSER | CLONE_NEWNS) == CLONE_NEWNS)", [6]uint64{0x20000}, [6]uint64{newUser | 0x20000}},
		{arch.X86_64, "clone(flags & ~(CLONE_NEWUSER|CLONE_NEWNS) == 0)", [6]uint64{newUser}, [6]uint64{1}},
		{arch.X86_64, "ioctl(request in {TCGETS, TIOCGWINSZ})", [6]uint64{0, 0x5413}, [6]uint64{0, 0x5412}},
		{arch.MIPS64, "ioctl(request == TCGETS)", [6]uint64{0, 0x540d}, [6]uint64{0, 0x5401}}, // another number there
		{arch.X86_64, "ioctl(request not in {TCGETS, 1..3, 0x10000 and above})", [6]uint64{0, 4}, [6]uint64{0, 2}},
		{arch.X86_64, "ioctl(request not in {TCGETS, 1..3, 0x10000 and above})", [6]uint64{0, 0}, [6]uint64{0, 1 << 40}},
		{arch.X86_64, "read(count not in {0..2, 9..12, 5..10, 20, 100..0xffffffffffffffff})", [6]uint64{0, 0, 13}, [6]uint64{0, 0, 20}},
		{arch.X86_64, "read(count not in {1..2, 9})", [6]uint64{0, 0, 1 << 63}, [6]uint64{0, 0, 9}},
		{arch.X86_64, "read(count >= 8)", [6]uint64{0, 0, 8}, [6]uint64{0, 0, 7}},
		{arch.X86_64, "read(count < 8 && count > 2)", [6]uint64{0, 0, 3}, [6]uint64{0, 0, 2}},
		{arch.X86_64, "read(fd == -1)", [6]uint64{1<<64 - 1}, [6]uint64{1<<32 - 1}},
		{arch.X86, "read(fd == -1)", [6]uint64{1<<32 - 1}, [6]uint64{1}},
		{arch.X86, "openat(dirfd == 0xffffffffffffff9c)", [6]uint64{0xffffff9c}, [6]uint64{0x9c}},
		{arch.X86_64, "openat(dirfd == (long)AT_FDCWD)", [6]uint64{1<<64 - 100}, [6]uint64{0xffffff9c}},
		{arch.X86_64, "fcntl(cmd == F_SETFL && arg == O_NONBLOCK)", [6]uint64{0, 4, 0x800}, [6]uint64{0, 4, 0x801}},
		{arch.X86_64, "quotactl(cmd in {QCMD(Q_GETFMT,USRQUOTA), 7})", [6]uint64{7}, [6]uint64{8}},
		{arch.X86_64, "personality(persona in {PER_LINUX, PER_LINUX|UNAME26})", [6]uint64{0x20000}, [6]uint64{8}},
		{arch.X86_64, "prctl(arg2 == 5)", [6]uint64{0, 5}, [6]uint64{5}},
	}
	for _, tt := range tests {
		s := one(t, tt.text)
		if _, bad := s.When.lists(tt.abi, s.Call); bad != nil {
			t.Errorf("%v %s: %v", tt.abi, tt.text, bad[0])
			continue
		}
		if !s.matches(tt.abi, tt.yes) || s.matches(tt.abi, tt.no) {
			t.Errorf("%v %s: %x is %v, %x is %v", tt.abi, tt.text, tt.yes, s.matches(tt.abi, tt.yes), tt.no, s.matches(tt.abi, tt.no))
		}
	}
}

func TestBadConditions(t *testing.T) {
	for _, tt := range []struct{ text, want, near string }{
		{"", "expected the name of a call, got the end", ""},
		{"read,", "expected the name of a call, got the end", ""},
		{"raed", `unknown system call "raed"`, "read"},
		{"read write", `expected a comma or ( after read, got "write"`, ""},
		{"socket(", "expected the name of an argument, got the end", ""},
		{"socket()", `expected the name of an argument, got ")"`, ""},
		{"socket(family", "expected ==, !=, <, <=, > or >= after family, got the end", ""},
		{"socket(family = 1)", `expected ==, !=, <, <=, > or >= after family, got "= 1)"`, ""},
		{"socket(family == )", `expected a value after ==, got ")"`, ""},
		{"socket(family == 1", "expected && or || or ), got the end", ""},
		{"socket(family in 1)", `expected a list after family, as in {1, 2}, got "1)"`, ""},
		{"socket(family in {})", `expected a value in a list, got "})"`, ""},
		{"socket(family in {1 2})", `expected a comma or } in a list, got "2})"`, ""},
		{"socket(family in {1 and below})", `expected above, got "below})"`, ""},
		{"socket(" + strings.Repeat("(", 100), "too many parentheses", ""},
		{"socket(" + strings.Repeat("(family == 1 || type == 2) && ", 40) + "family == 1)", "too many cases", ""},
	} {
		_, err := Parse(tt.text)
		var bad *ParseError
		if !errors.As(err, &bad) || bad.Reason != tt.want || bad.Near != tt.near {
			t.Errorf("%s: %v, want %s (%s)", tt.text, err, tt.want, tt.near)
		}
	}
	for _, tt := range []struct{ text, want, near string }{
		{"socket(famly == 1)", `unknown argument "famly" (known: family, type, protocol)`, "family"},
		{"socket(family == AF_UNX)", `family: "AF_UNX" is neither a known constant for this argument nor a 64-bit number`, "AF_UNIX"},
		{"clone(flags & CLONE_NEWUSR == 0)", `flags: "CLONE_NEWUSR" is neither a known constant for this argument nor a 64-bit number`, "CLONE_NEWUSER"},
		{"clone(flags & 1 == 2)", "flags: 0x2 has bits outside of the mask 0x1", ""},
		{"clone(flags & 6 > 2)", "flags: bits under the mask 0x6 are in no order (compare them with == or !=)", ""},
		{"read(count in {9..8})", "count: 0x9 is above 0x8", ""},
	} {
		s := one(t, tt.text)
		_, bad := s.When.lists(arch.X86_64, s.Call)
		if len(bad) == 0 || bad[0].Reason != tt.want || bad[0].Near != tt.near {
			t.Errorf("%s: %v, want %s (%s)", tt.text, bad, tt.want, tt.near)
		}
	}
}

// TestWhatWeWriteIsRead: conditions that explain and messages print mean, if they are given
// back, what they were printed for.
func TestWhatWeWriteIsRead(t *testing.T) {
	var all []*policy.Resolved
	for _, a := range []arch.ABI{arch.X86_64, arch.AArch64, arch.S390X, arch.MIPS64, arch.ARM} {
		p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: a})
		if err != nil {
			t.Fatal(err)
		}
		r, _, err := policy.Resolve(p, policy.Options{ABIs: a.Family()})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	for seed := range uint64(gen.Many(20, 300)) {
		r := gen.New(seed)
		abis := gen.ABIs(r)
		if res, _, err := policy.Resolve(gen.Policy(r, gen.Options{ABIs: abis, Entries: 4}), policy.Options{ABIs: abis}); err == nil { // few, as Explain has many cases for them
			all = append(all, res)
		}
	}
	texts := 0
	for i, res := range all {
		points := make(map[[2]uint32][][6]uint64)
		for d := range gen.Points(gen.New(uint64(i)), res, nil, 8) {
			key := [2]uint32{d.Arch, d.NR}
			points[key] = append(points[key], d.Args)
		}
		check := func(a arch.ABI, nr uint32, text string, want func(args [6]uint64) bool) {
			specs, err := Parse(text)
			var limit *ParseError
			if errors.As(err, &limit) && limit.Reason == "too many cases" {
				return
			}
			if err != nil {
				t.Fatalf("%v: %v", a, err)
			}
			lists, bad := specs[0].When.lists(a, specs[0].Call)
			if len(bad) == 1 && bad[0].Reason == "too many cases" {
				return
			}
			if bad != nil {
				t.Fatalf("%v %s: %v", a, text, bad[0])
			}
			texts++
			for _, args := range points[[2]uint32{a.Audit(), nr}] {
				if got := matches(lists, args); got != want(args) {
					t.Fatalf("%v %s with %x: %v", a, text, args, got)
				}
			}
		}
		for _, space := range res.Spaces {
			for _, c := range space.Calls {
				for _, clause := range c.Clauses {
					check(c.ABI, c.NR, symbols.Conds(c.ABI, c.NR, clause.Conds), func(args [6]uint64) bool {
						return !slices.ContainsFunc(clause.Conds, func(c policy.Cond) bool { return !holds(c, args[c.Arg]) })
					})
				}
			}
		}
		explained, err := proof.Explain(proof.Policy(res), proof.Limits{})
		if err != nil {
			continue
		}
		for _, space := range explained {
			for _, run := range space.Runs {
				a, ok := arch.ByAudit(space.Audits[0].First, run.First)
				call, named := syscalltables.ByNumber(a, run.First)
				if !ok || !named || len(run.Tree.Arms) == 0 {
					continue
				}
				rules, _ := run.Tree.Rules(50)
				for _, rule := range rules {
					if len(rule.When) == 0 {
						continue
					}
					text := fmt.Sprintf("%v(%s)", call, phrase.Call{ABI: a, NR: run.First}.Case(rule.When))
					check(a, run.First, text, func(args [6]uint64) bool {
						return !slices.ContainsFunc(rule.When, func(w proof.When) bool { return !w.Values.Contains(args[w.Arg]) })
					})
				}
			}
		}
	}
	if t.Logf("%d texts", texts); texts < 200 {
		t.Errorf("%d texts, want some hundred", texts)
	}
}
