package vectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// values are those that show how wide a comparison is, and whether it has a sign.
func values() []uint64 {
	return []uint64{
		0, 1, 5, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x100000005, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffff80000000, 0xffffffffffffffff,
	}
}

// near returns arguments around a value.
func near(v uint64) []uint64 {
	list := []uint64{v - 1, v, v + 1, v & 0xffffffff, v&0xffffffff | 9<<32, v ^ 1<<63, v ^ 1<<31}
	slices.Sort(list)
	return slices.Compact(list)
}

// conditions makes the rows of 2.1 to 2.8 and 2.14.
func (g *generator) conditions() {
	g.together()
	ops := []string{"EQ", "NE", "LT", "LE", "GT", "GE"}
	for i, v := range values() {
		var entries []string
		for j, op := range ops {
			entries = append(entries, fmt.Sprintf("ERRNO(%d) %s: %d %s %d", 30+j, common()[j], j, op, v))
		}
		name := g.profile(fmt.Sprintf("compare-%x", v), "ALLOW", entries...)
		for _, a := range g.facts {
			if i != 2 && i != 4 && a.name != "x86_64" && a.name != "x86" && (i%4 != 3 || a.name != "x32") {
				continue
			}
			for j := range ops {
				paragraph := "2.4"
				switch {
				case v>>63 != 0 && a.bits == 64, v>>31 == 1: // of which the sign would count
				case v>>31 != 0 && a.bits == 64:
					paragraph = "2.5"
				case v>>32 != 0:
					paragraph = "2.6"
				}
				for _, arg := range near(v) {
					args := make([]uint64, j+1)
					args[j] = arg
					if arg>>32 != 0 && paragraph == "2.4" {
						g.add(map[int]string{64: "2.5", 32: "2.6"}[a.bits], name, on(a.name), g.named(a, common()[j], args...)...)
						continue
					}
					g.add(paragraph, name, on(a.name), g.named(a, common()[j], args...)...)
				}
			}
		}
	}
	most := g.profile("value-largest", "ALLOW", "ERRNO(1) read: 0 EQ 18446744073709551615", "ERRNO(2) write: 1 MASKED_EQ 18446744073709551615", "ERRNO(3) close: 0 EQ 9007199254740993")
	for _, a := range g.facts {
		g.add("2.14", most, on(a.name), slices.Concat(g.with(a, "read", []uint64{1<<64 - 1}, []uint64{1<<64 - 2}, []uint64{1<<32 - 1}),
			g.with(a, "write", []uint64{5}, []uint64{5, 1}), g.with(a, "close", []uint64{1<<53 + 1}, []uint64{1 << 53}, []uint64{1<<53 + 2}))...)
	}
	g.masks()
}

// together makes the rows of 2.1 to 2.3.
func (g *generator) together() {
	and := g.profile("all-hold", "ERRNO(5)", "ALLOW read: 0 EQ 1, 1 EQ 2", "LOG write,close: 2 GT 7, 0 LT 3, 5 NE 0", "ALLOW getpid: 0 EQ 1, 1 EQ 1, 2 EQ 1, 3 EQ 1, 4 EQ 1, 5 EQ 1", "ALLOW dup")
	twice := g.profile("index-twice", "ERRNO(5)", "ALLOW read: 0 EQ 1, 0 EQ 2", "LOG write: 1 EQ 1, 0 EQ 1, 1 EQ 2", "ALLOW close: 0 GT 2, 0 LT 9", "ALLOW getpid: 0 EQ 1, 1 EQ 5, 0 EQ 1", "ALLOW dup: 0 EQ 1, 1 EQ 2, 2 EQ 3, 0 EQ 4")
	for _, a := range g.facts {
		var grid [][]uint64
		for x := range uint64(3) {
			for y := range uint64(3) {
				grid = append(grid, []uint64{x, y})
			}
		}
		full := [][]uint64{{1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 2}, {2, 1, 1, 1, 1, 1}, {1, 1, 2, 1, 1, 1}}
		g.add("2.2", and, on(a.name), slices.Concat(g.with(a, "read", grid...), g.with(a, "getpid", full...), g.with(a, "dup", grid[0]))...)
		g.add("2.1", and, on(a.name), slices.Concat(g.with(a, "write", []uint64{2, 0, 8, 0, 0, 1}, []uint64{3, 0, 8, 0, 0, 1}, []uint64{2, 0, 7, 0, 0, 1}, []uint64{2, 0, 8}),
			g.with(a, "close", []uint64{2, 0, 8, 0, 0, 1}, []uint64{3, 0, 8, 0, 0, 1}))...)
		g.add("2.3", twice, on(a.name), slices.Concat(g.with(a, "read", grid...), g.with(a, "write", grid...), g.with(a, "close", []uint64{1}, []uint64{2}, []uint64{5}, []uint64{10}),
			g.with(a, "getpid", []uint64{1}, []uint64{0, 5}, []uint64{0, 4}), g.with(a, "dup", []uint64{0, 2}, []uint64{0, 0, 3}, []uint64{0, 2, 3}, []uint64{4}, []uint64{2}))...)
	}
}

// masks makes the rows of 2.7 and 2.8.
func (g *generator) masks() {
	bits := g.profile("masks", "ALLOW", "ERRNO(1) read: 0 MASKED_EQ 5 1", "ERRNO(2) write: 1 MASKED_EQ 2114060288 0", "ERRNO(3) close: 0 MASKED_EQ 4294967295 2147483648",
		"ERRNO(4) dup: 0 MASKED_EQ 18446744069414584320 4294967296", "ERRNO(5) getpid: 0 MASKED_EQ 1 3", "ERRNO(6) umask: 2 MASKED_EQ 18446744071562067968 18446744071562067968")
	none := g.profile("mask-empty", "ALLOW", "ERRNO(1) read: 0 MASKED_EQ 0 5", "ERRNO(2) write: 0 MASKED_EQ 18446744069414584320 4294967296, 1 EQ 2", "ERRNO(3) close: 0 MASKED_EQ 4294967296 4294967296",
		"ERRNO(4) dup: 1 EQ 2", "ERRNO(7) dup: 0 MASKED_EQ 0 0", "ERRNO(5) getpid: 0 MASKED_EQ 0 0, 0 EQ 5")
	for _, a := range g.facts {
		for _, name := range common() {
			index := map[string]int{"write": 1, "umask": 2}[name]
			for _, v := range []uint64{0, 1, 2, 3, 4, 5, 0x80000000, 0x7e020000, 0x10000000, 0x100000000, 0x100000001, 0x180000000, 0x200000001, 0xffffffff80000000, 0xffffffffffffffff} {
				args := make([]uint64, index+1)
				args[index] = v
				g.add("2.7", bits, on(a.name), g.named(a, name, args...)...)
			}
			for _, args := range [][]uint64{{}, {5}, {1}, {0, 2}, {1 << 32, 2}, {1 << 32}, {1 << 33, 2}, {1<<32 + 5}} {
				g.add("2.8", none, on(a.name), g.named(a, name, args...)...)
			}
		}
	}
}

// actions makes the rows of 2.9 to 2.13.
func (g *generator) actions() {
	x, native := on("x86_64"), g.abi("x86_64")
	targets := []string{"x86_64", "x86", "s390x", "mips64"}
	all := g.profile("actions", "ERRNO", "KILL read", "KILL_THREAD write", "KILL_PROCESS close", "TRAP dup", "TRACE getpid", "LOG getppid", "ALLOW umask", "ERRNO(0) kill", "NOTIFY ioctl")
	data := g.profile("data", "TRACE(65535)", "ERRNO(0) read", "ERRNO(4094) write", "ERRNO(4095) close", "ERRNO(4096) dup", "ERRNO(65535) getpid", "ERRNO(65537) getppid", "TRACE(0) umask", "TRACE(4096) kill", "TRACE(65536) ioctl",
		"ERRNO(4294967295) openat")
	ignored := g.profile("data-ignored", "ALLOW", "KILL(7) read", "TRAP(7) write", "LOG(7) close", "KILL_PROCESS(1) dup", "ERRNO(7) getpid")
	short := g.profile("data-short", "TRACE(9)", "ERRNO(4094) read", "TRACE(65535) write", "TRACE dup")
	for _, name := range targets {
		a := g.abi(name)
		for _, call := range append(common(), "kill", "ioctl", "openat", "exit_group") {
			g.add("2.9", all, on(name), g.named(a, call)...)
			g.add("2.11", data, on(name), g.named(a, call)...)
			g.add("2.12", ignored, on(name), g.named(a, call)...)
			for _, reading := range []string{"runc", "strict", "crun", "youki", "youki@0.6"} {
				g.add("2.10", short, on(name).like(reading), g.named(a, call)...)
			}
		}
	}
	for _, fallback := range []string{"KILL", "KILL_THREAD", "KILL_PROCESS", "TRAP", "ERRNO", "ERRNO(0)", "ERRNO(5)", "TRACE", "TRACE(3)", "LOG", "ALLOW"} {
		name := g.profile("default-"+strings.ToLower(strings.NewReplacer("(", "-", ")", "", "_", "-").Replace(fallback)), fallback)
		for _, target := range targets {
			g.add("2.10", name, on(target), g.named(g.abi(target), "read")...)
		}
	}
	g.refused("2.11", data, x.like("strict"))
	g.refused("2.12", ignored, x.like("strict"))
	for _, n := range []int{4094, 4095, 4096, 65536} {
		name := g.profile(fmt.Sprintf("errno-%d", n), "ALLOW", fmt.Sprintf("ERRNO(%d) read", n))
		g.add("2.11", name, x, g.named(native, "read")...)
		for _, reading := range []string{"strict", "crun", "youki", "youki@0.6"} {
			switch {
			case reading == "strict" && n > 4095:
				g.refused("2.11", name, x.like(reading))
			case reading != "strict" && n&0xffff > 4094:
				g.refused("7.3", name, x.like(reading))
			default:
				g.add("2.11", name, x.like(reading), g.named(native, "read")...)
			}
		}
	}
	g.dropped(targets)
}

// dropped makes the rows of 2.13.
func (g *generator) dropped(targets []string) {
	denies := g.profile("dropped-denial", "ERRNO", "ERRNO read", "ALLOW read: 0 EQ 1", "ALLOW write", "ERRNO write: 0 EQ 1", "ERRNO(1) close", "ALLOW close: 1 GT 5", "ERRNO(2) close: 1 LT 3")
	other := g.profile("dropped-data", "ERRNO(5)", "ERRNO read", "ALLOW read: 0 EQ 1", "ERRNO(5) write", "ALLOW write", "ERRNO(5) close: 0 EQ 1", "ALLOW close: 0 GT 0")
	allows := g.profile("dropped-allow", "ALLOW", "ERRNO(3) read: 0 LT 9", "ALLOW read: 0 EQ 1", "ALLOW write", "ERRNO(4) write: 0 EQ 2")
	for _, target := range targets {
		for _, call := range []string{"read", "write", "close"} {
			for _, p := range []string{denies, other, allows} {
				points := g.with(g.abi(target), call, []uint64{0}, []uint64{1}, []uint64{2}, []uint64{1, 2}, []uint64{1, 6}, []uint64{9})
				g.add("2.13", p, on(target), points...)
				g.add("3.11", p, on(target).option("strictest-wins"), points...)
			}
		}
	}
}

// order makes the rows of section 3.
func (g *generator) order() {
	pairs := []struct{ paragraph, name, first, second string }{
		{"3.4", "prefix", "0 EQ 1", "0 EQ 1, 1 EQ 2"}, {"3.4", "prefix-bounds", "1 GT 1, 2 LT 9", "1 GT 1"}, {"3.4", "later-position", "0 EQ 1, 1 EQ 2", "0 EQ 1, 2 EQ 3"},
		{"3.5", "argument", "0 EQ 1", "1 EQ 2"}, {"3.5", "argument-bounds", "0 EQ 1", "2 GT 2"}, {"3.5", "argument-mask", "2 MASKED_EQ 1 1", "0 EQ 1"}, {"3.5", "argument-first-position", "0 EQ 1, 2 EQ 3", "1 EQ 2, 2 EQ 3"},
		{"3.6", "value-and-less", "0 EQ 1", "0 LT 9"}, {"3.6", "value-and-greater", "0 GE 1", "0 EQ 1"}, {"3.6", "other-and-less", "0 NE 2", "0 LE 1"}, {"3.6", "less-and-greater", "0 LT 9", "0 GT 0"}, {"3.6", "less-and-greater-equal", "0 GE 1", "0 LE 1"},
		{"3.6", "mask-and-less", "0 LT 4294967299", "0 MASKED_EQ 1 1"},
		{"3.7", "less", "0 LT 5", "0 LT 9"}, {"3.7", "less-equal", "0 LE 9", "0 LT 5"}, {"3.7", "greater", "0 GT 0", "0 GT 1"}, {"3.7", "greater-equal", "0 GE 3", "0 GT 1"}, {"3.7", "others", "0 NE 5", "0 NE 9"}, {"3.7", "masks", "0 MASKED_EQ 1 1", "0 MASKED_EQ 2 2"}, {"3.7", "less-wide", "0 LT 4294967301", "0 LT 4294967305"},
		{"3.7", "masks-upper", "0 MASKED_EQ 4294967297 4294967297", "0 MASKED_EQ 4294967298 4294967298"},
		{"3.8", "value-and-mask", "0 EQ 3", "0 MASKED_EQ 1 1"}, {"3.8", "other-and-mask", "0 NE 0", "0 MASKED_EQ 3 3"}, {"3.8", "value-and-mask-upper", "0 EQ 4294967299", "0 MASKED_EQ 12884901889 4294967297"}, {"3.8", "upper-halves", "0 MASKED_EQ 4294967297 4294967297", "0 MASKED_EQ 3 3"},
		{"3.8", "masks-apart", "0 MASKED_EQ 1 1", "0 MASKED_EQ 4294967297 1"}, {"3.8", "masks-apart-upper", "0 MASKED_EQ 12884901891 4294967299", "0 MASKED_EQ 4294967297 4294967297"},
		{"3.9", "same-data", "0 EQ 3", "0 GE 3"}, {"3.9", "tie-less", "0 LT 9", "0 LE 9"}, {"3.9", "tie-greater", "0 GT 2", "0 GE 2"}, {"3.9", "tie-masks", "0 MASKED_EQ 1 1", "0 MASKED_EQ 3 1"}, {"3.9", "tie-then-shorter", "0 LT 9, 1 EQ 2", "0 LE 9"},
	}
	for _, p := range pairs {
		for i, list := range [][]string{{p.first, p.second}, {p.second, p.first}} {
			name := g.profile(fmt.Sprintf("order-%s-%d", p.name, i+1), "ALLOW", "ERRNO(1) read: "+list[0], "ERRNO(2) read: "+list[1])
			for _, target := range []string{"x86_64", "x86", "s390x"} {
				g.unlessContradictory(p.paragraph, name, on(target), g.with(g.abi(target), "read", orderPoints()...)...)
			}
		}
	}
	g.insertion()
	ties := g.profile("insertion-ties", "ALLOW", "ERRNO(1) read: 0 MASKED_EQ 2 0", "ERRNO(2) read: 0 EQ 2", "ERRNO(3) read: 0 MASKED_EQ 1 1")
	for _, target := range []string{"x86_64", "ppc64le", "x86", "x32"} {
		g.add("3.3", ties, on(target), g.with(g.abi(target), "read", []uint64{0}, []uint64{1}, []uint64{2}, []uint64{3}, []uint64{5})...)
	}
	g.unconditional()
	g.contradictions()
}

// unlessContradictory adds rows for calls, or one that says that rules contradict each other:
// two may be the same after cutting.
func (g *generator) unlessContradictory(paragraph, profile string, s setting, points ...point) {
	if p, _ := g.read(group{profile, s.reading, s.options, s.targets}); p == nil {
		g.refused("3.10", profile, s)
		return
	}
	g.add(paragraph, profile, s, points...)
}

// orderPoints are arguments for which several of the rules of order hold.
func orderPoints() [][]uint64 {
	return [][]uint64{{1, 2, 3}, {3, 2, 3}, {1, 2}, {1}, {0, 2, 3}, {4}, {9}, {1<<32 + 1, 2, 3}, {1<<32 + 3, 2, 3}, {3<<32 + 3}, {1<<32 + 4}}
}

// insertion makes the rows of 3.3, and others where many rules meet. It looks for profiles
// on which what a sort would do differs.
func (g *generator) insertion() {
	random := rand.New(rand.NewPCG(16, 9))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	for n := range 40 {
		var entries []string
		seen := map[string]bool{}
		for i := range 3 + random.IntN(5) {
			var conds []string
			for arg := range 3 {
				if random.IntN(2) > 0 && (arg < 2 || conds != nil) {
					continue
				}
				switch op := pick("EQ", "NE", "LT", "LE", "GT", "GE", "MASKED_EQ", "MASKED_EQ", "NE"); op {
				case "MASKED_EQ":
					mask, datum := pick("1", "2", "3", "4294967297", "4294967299", "12884901891"), pick("1", "2", "3", "4294967297")
					conds = append(conds, fmt.Sprintf("%d MASKED_EQ %s %s", arg, mask, datum))
				default:
					conds = append(conds, fmt.Sprintf("%d %s %s", arg, op, pick("0", "1", "2", "3", "4294967297", "8589934593")))
				}
			}
			if key := strings.Join(conds, ", "); !seen[key] {
				seen[key] = true
				entries = append(entries, fmt.Sprintf("ERRNO(%d) read: %s", i+1, key))
			}
		}
		name := g.profile(fmt.Sprintf("insertion-%02d", n), "ALLOW", entries...)
		for _, target := range []string{"x86_64", "x86"} {
			var points [][]uint64
			for range 12 {
				point := make([]uint64, 3)
				for i := range point {
					point[i] = []uint64{0, 1, 2, 3, 5, 1 << 32, 1<<32 + 1, 1<<32 + 3, 3<<32 + 3, 2<<32 + 1}[random.IntN(10)]
				}
				points = append(points, point)
			}
			g.unlessContradictory("3.3", name, on(target), g.with(g.abi(target), "read", points...)...)
			if n%4 == 0 {
				g.add("3.11", name, on(target).option("strictest-wins"), g.with(g.abi(target), "read", points...)...)
			}
		}
	}
}

// unconditional makes the rows of 3.1, 3.2 and 3.11.
func (g *generator) unconditional() {
	name := g.profile("unconditional", "ALLOW", "ERRNO(1) read: 0 EQ 1", "ERRNO(2) read", "KILL read", "ERRNO(3) read: 1 EQ 2", "LOG write: 0 EQ 1", "ERRNO(4) write: 0 GT 0", "ERRNO(6) close", "TRAP close: 0 EQ 1", "KILL_PROCESS close: 1 EQ 2",
		"ERRNO(7) dup: 0 EQ 1", "ERRNO(8) dup: 0 NE 2", "ERRNO(9) dup: 0 LT 5", "ERRNO(10) dup: 1 EQ 2", "ERRNO(11) dup: 0 EQ 1, 1 EQ 2", "ERRNO(12) getpid: 0 EQ 1, 0 EQ 2", "TRAP getpid: 0 GE 2")
	severity := g.profile("strictest", "ALLOW", "LOG read: 0 GT 0", "TRACE read: 0 GT 1", "NOTIFY read: 0 GT 2", "ERRNO(5) read: 0 GT 3", "ERRNO(6) read: 0 GT 4", "TRAP read: 0 GT 5", "KILL read: 0 GT 6", "KILL_PROCESS read: 0 GT 7",
		"ERRNO(1) dup", "LOG dup: 0 EQ 1", "TRAP dup: 0 EQ 2", "ALLOW dup: 0 EQ 3", "ERRNO(2) dup: 0 EQ 4")
	for _, a := range g.facts {
		for _, call := range []string{"read", "write", "close", "dup", "getpid"} {
			points := g.with(a, call, []uint64{}, []uint64{1}, []uint64{1, 2}, []uint64{2, 2}, []uint64{5}, []uint64{7})
			paragraph := "3.1"
			if call == "write" || call == "dup" || call == "getpid" {
				paragraph = "3.2"
			}
			g.add(paragraph, name, on(a.name), points...)
			if slices.Contains([]string{"x86_64", "x86", "mips64", "s390x"}, a.name) {
				g.add("3.11", name, on(a.name).option("strictest-wins"), points...)
			}
		}
		if a.name == "x86_64" || a.name == "ppc" {
			var points []point
			for v := range uint64(10) {
				points = append(points, slices.Concat(g.named(a, "read", v), g.named(a, "dup", v))...)
			}
			g.add("3.2", severity, on(a.name), points...)
			g.add("3.11", severity, on(a.name).option("strictest-wins"), points...)
		}
	}
}

// contradictions makes the rows of 3.10.
func (g *generator) contradictions() {
	refused := []string{
		g.profile("contradiction", "ERRNO", "ALLOW read: 0 EQ 1", "LOG read: 0 EQ 1"),
		g.profile("contradiction-sorted", "ERRNO", "ALLOW read: 0 EQ 1, 1 LT 2", "LOG read: 1 LT 2, 0 EQ 1"),
		g.profile("contradiction-data", "ALLOW", "ERRNO(2) read: 0 EQ 1", "ERRNO(3) read: 0 EQ 1"),
		g.profile("contradiction-mask", "ERRNO", "ALLOW read: 0 MASKED_EQ 1 1", "LOG read: 0 MASKED_EQ 1 3"),
		g.profile("contradiction-twice", "ERRNO", "ALLOW read: 0 EQ 1, 0 EQ 2", "LOG read: 0 EQ 2"),
	}
	for _, name := range refused {
		for _, target := range []string{"x86_64", "x86", "s390x"} {
			g.refused("3.10", name, on(target))
		}
		for _, reading := range []string{"strict", "crun", "youki"} {
			g.refused("3.10", name, on("x86_64").like(reading))
		}
		g.add("3.11", name, on("x86_64").option("strictest-wins"), g.with(g.abi("x86_64"), "read", []uint64{1}, []uint64{3}, []uint64{2}, []uint64{1, 1})...)
	}
	cut := g.profile("contradiction-cut", "ERRNO", "ALLOW read: 0 EQ 1", "LOG read: 0 EQ 4294967297")
	for _, a := range g.facts {
		if a.bits == 32 {
			g.refused("3.10", cut, on(a.name))
			continue
		}
		g.add("3.10", cut, on(a.name), g.with(a, "read", []uint64{1}, []uint64{1<<32 + 1})...)
	}
	moot := g.profile("contradiction-moot", "ERRNO", "ALLOW read: 0 EQ 1", "LOG read: 0 EQ 1", "TRAP read", "ALLOW write: 0 EQ 1", "ALLOW write: 0 EQ 1", "ERRNO close: 0 EQ 1", "ALLOW close: 0 EQ 1")
	behind := g.profile("contradiction-behind", "ERRNO", "ALLOW socket: 0 EQ 1", "LOG socket: 0 EQ 2")
	third := g.profile("contradiction-third", "ALLOW", "ERRNO(1) socket", "ERRNO(2) socket: 1 EQ 3", "ERRNO(3) socket: 1 EQ 3")
	lost := g.profile("contradiction-lost", "ALLOW", "ERRNO(1) socket: 0 EQ 3, 1 EQ 3", "ERRNO(3) socket: 0 EQ 4, 1 EQ 3")
	for _, a := range g.facts {
		g.add("3.10", moot, on(a.name), slices.Concat(g.named(a, "read", 1), g.named(a, "write", 1), g.named(a, "close", 1))...)
		for _, p := range []string{behind, lost} {
			if a.socketcall != 0 {
				g.refused("3.10", p, on(a.name))
			} else {
				g.add("3.10", p, on(a.name), g.with(a, "socket", []uint64{1}, []uint64{2}, []uint64{3, 3}, []uint64{4, 3})...)
			}
		}
		g.add("3.10", third, on(a.name), slices.Concat(g.with(a, "socket", []uint64{1, 3}), g.with(a, "socketcall", []uint64{1, 3}, []uint64{1}, []uint64{2}))...)
	}
}
