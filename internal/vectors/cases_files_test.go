package vectors

import (
	"fmt"
	"slices"
	"strings"
)

func readings() []string { return []string{"runc", "strict", "crun", "youki", "youki@0.6"} }

// pairs makes the rows of section 6.
func (g *generator) pairs() {
	words := []string{"KILL_PROCESS", "KILL", "TRAP", "ERRNO(1)", "ERRNO(38)", "ERRNO(89)", "ERRNO(99)", "TRACE(1)", "TRACE(7)", "LOG", "ALLOW"}
	names := []string{"read", "write", "close", "dup", "getpid", "getppid", "umask", "kill", "ioctl", "openat", "exit_group"}
	for _, shift := range []int{0, 1, 3, 4, 7, 9} {
		name := g.profile(fmt.Sprintf("pair-%02d", shift), "ALLOW", append(listOf(names, words, shift), "NOTIFY flock")...)
		for i, target := range []string{"x86_64", "mips64"} {
			if i > 0 && shift > 1 {
				continue
			}
			a := g.abi(target)
			var points []point
			for _, call := range append(slices.Clone(names), "flock") {
				points = append(points, g.named(a, call)...)
			}
			g.pair("6.1", "pair-00", name, target, points...)
		}
	}
	data := []string{"ERRNO(1)", "ERRNO(5)", "ERRNO(38)", "ERRNO(89)", "ERRNO(251)", "TRACE(1)", "TRACE(9)", "TRACE(38)"}
	for _, first := range data {
		for _, second := range data {
			a := g.profile("data-"+strings.ToLower(strings.NewReplacer("(", "-", ")", "").Replace(first)), "ALLOW", first+" read")
			b := g.profile("data-"+strings.ToLower(strings.NewReplacer("(", "-", ")", "").Replace(second)), "ALLOW", second+" read")
			for _, target := range []string{"x86_64", "mips", "parisc"} {
				g.pair("6.3", a, b, target, g.named(g.abi(target), "read")...)
			}
		}
	}
	notified := g.profile("pair-notify", "ALLOW", "NOTIFY read,close,dup,getpid,getppid,umask")
	g.pair("6.1", "pair-00", notified, "x86_64", slices.Concat(g.named(g.abi("x86_64"), "read"), g.named(g.abi("x86_64"), "close"), g.named(g.abi("x86_64"), "dup"), g.named(g.abi("x86_64"), "getpid"), g.named(g.abi("x86_64"), "getppid"), g.named(g.abi("x86_64"), "umask"))...)
	deny := g.profile("pair-conditions", "ERRNO", "ALLOW read,openat2", "ALLOW socket: 0 NE 40", "LOG clone: 0 MASKED_EQ 2114060288 0")
	other := g.profile("pair-other-conditions", "KILL", "ALLOW read,write", "ALLOW socket: 0 NE 38", "ALLOW clone: 0 EQ 268435456")
	for _, target := range []string{"x86", "x86_64,x32,x86", "aarch64,arm"} {
		for name := range strings.SplitSeq(target, ",") {
			a := g.abi(name)
			points := slices.Concat(g.with(a, "socket", []uint64{1}, []uint64{38}, []uint64{40}), g.with(a, "clone", []uint64{0}, []uint64{0x10000000}, []uint64{0x20000000}),
				g.named(a, "read"), g.named(a, "write"), g.named(a, "kill"), g.numbered(a, 0x40000000, 0x80000000, 0xffffffff), g.with(a, "socketcall", []uint64{1, 3}, []uint64{2}))
			for _, both := range [][2]string{{deny, other}, {other, deny}} {
				g.pair("6.1", both[0], both[1], target, points...)
			}
		}
		for _, both := range [][2]string{{deny, other}, {"allow-all", deny}} {
			g.pair("6.4", both[0], both[1], target, slices.Concat(g.named(g.abi("riscv64"), "read"), g.named(g.abi("loongarch64"), "read"))...)
		}
	}
	// Only with their own targets can one have an ABI that the other lacks.
	points := slices.Concat(g.named(g.abi("x86_64"), "read"), g.named(g.abi("x86"), "read"), g.named(g.abi("x86"), "kill"), g.named(g.abi("x32"), "read"), g.named(g.abi("aarch64"), "read"))
	for _, first := range []string{"architectures-x86", "architectures-twice"} {
		for _, second := range []string{deny, "architectures-native"} {
			g.pair("6.4", first, second, "-", points...)
			g.pair("6.4", second, first, "-", points...)
		}
	}
}

// listOf returns entries that give each call the word some places after its own.
func listOf(names, words []string, shift int) (entries []string) {
	for i, name := range names {
		entries = append(entries, words[(i+shift)%len(words)]+" "+name)
	}
	return entries
}

// document writes a profile with other keys than the entries.
func document(keys ...string) string { return "{\n\t" + strings.Join(keys, ",\n\t") + "\n}\n" }

const allowed = `"defaultAction": "SCMP_ACT_ALLOW"`

// runtimes makes the rows of section 7.
func (g *generator) runtimes() {
	a := g.abi("x86_64")
	common := []string{"all-hold", "index-twice", "masks", "mask-empty", "bound-errno", "bound-dropped", "x32-errno", "unconditional", "dropped-denial", "mux-conditions", "mips-errno"}
	points := slices.Concat(g.with(a, "read", []uint64{}, []uint64{1}, []uint64{1, 2}, []uint64{5}), g.with(a, "write", []uint64{1, 1}, []uint64{2, 0, 8, 0, 0, 1}, []uint64{0, 2}, []uint64{7}), g.with(a, "socket", []uint64{16, 3}, []uint64{16}, []uint64{1, 3}),
		g.with(a, "close", []uint64{1, 6}, []uint64{5}), g.with(a, "getpid", []uint64{1}, []uint64{1, 1, 1, 1, 1, 1}, []uint64{3}), g.named(a, "openat2"), g.numbered(a, 0, 500, 0x40000000, 0x80000000, 0xffffffff))
	for _, name := range common {
		for _, reading := range readings() {
			paragraph := "7.1"
			if reading == "youki@0.6" {
				paragraph = "7.9"
			}
			g.unlessContradictory(paragraph, name, on("x86_64").like(reading), points...)
		}
	}
	for _, name := range []string{"x86", "x32", "mips", "s390x", "ppc64"} {
		b := g.abi(name)
		for _, reading := range readings()[2:] {
			g.add("7.1", "bound-errno", on(name).like(reading), g.numbered(b, slices.Concat(edges(), []uint32{b.numbers["openat"] + 1, b.numbers["openat"]})...)...)
			g.add("7.9", "all-hold", on(name).like(reading), g.with(b, "read", []uint64{1}, []uint64{0, 2}, []uint64{1, 2}, []uint64{2})...)
		}
	}
	g.add("7.1", "x32-errno", on("x86_64,x32,x86").like("crun"), g.numbered(a, edges()...)...)
	loose := g.file("keys-loose", document(allowed, `"Syscalls": [
		{"Names": ["write"], "action": "SCMP_ACT_ERRNO"}
	]`))
	looseArgs := g.file("keys-loose-args", document(allowed, `"syscalls": [
		{"names": ["read"], "action": "SCMP_ACT_ERRNO", "Args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
		{"names": ["write"], "action": "SCMP_ACT_ERRNO", "ErrnoRet": 5},
		{"names": ["close"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 5, "ValueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]}
	]`))
	seven := g.profile("seven", "ALLOW", "ERRNO(1) read: 0 EQ 1, 1 EQ 1, 2 EQ 1, 3 EQ 1, 4 EQ 1, 5 EQ 1, 0 EQ 2", "ERRNO(2) write: 0 EQ 1, 0 EQ 2, 0 EQ 3, 0 EQ 4, 0 EQ 5, 0 EQ 6, 0 EQ 7, 1 EQ 8")
	empty := g.file("args-empty", document(allowed, `"syscalls": [
		{"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": []},
		{"names": ["write"], "action": "SCMP_ACT_ERRNO", "args": null},
		{"names": ["close"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
		{"names": ["close"], "action": "SCMP_ACT_KILL", "args": []}
	]`))
	for _, name := range []string{loose, looseArgs, seven, empty} {
		paragraph := map[string]string{loose: "7.2", looseArgs: "7.2", seven: "7.5", empty: "7.10"}[name]
		for _, reading := range readings() {
			if reading == "strict" && (name == loose || name == looseArgs) {
				g.refused("7.2", name, on("x86_64").like(reading))
				continue
			}
			for _, target := range []string{"x86_64", "x86"} {
				b := g.abi(target)
				ones := []uint64{1, 1, 1, 1, 1, 1}
				g.add(paragraph, name, on(target).like(reading), slices.Concat(g.with(b, "read", []uint64{}, []uint64{1}, []uint64{2}, ones, []uint64{3, 1}), g.with(b, "write", []uint64{6}, []uint64{7}, []uint64{0, 8}, []uint64{}), g.with(b, "close", []uint64{1}, []uint64{0}, []uint64{4}))...)
			}
		}
	}
	g.judged()
}

// judged makes the rows about files that some take and others refuse.
func (g *generator) judged() {
	tests := []struct{ paragraph, name, text, refusing string }{
		{"7.3", "names-missing", document(allowed, `"syscalls": [{"action": "SCMP_ACT_KILL"}]`), "strict crun youki youki@0.6"},
		{"7.3", "names-empty", document(allowed, `"syscalls": [{"names": [], "action": "SCMP_ACT_KILL"}]`), "strict"},
		{"7.3", "default-errno-4095", document(`"defaultAction": "SCMP_ACT_ERRNO"`, `"defaultErrnoRet": 4095`), "crun youki youki@0.6"},
		{"7.4", "errno-on-kill", document(allowed, `"syscalls": [{"names": ["read"], "action": "SCMP_ACT_KILL", "errnoRet": 1}]`), "strict crun"},
		{"7.4", "errno-on-default", document(allowed, `"defaultErrnoRet": 1`), "strict crun"},
		{"7.5", "seventh-invalid", document(allowed, `"syscalls": [{"names": ["read"], "action": "SCMP_ACT_KILL", "args": [`+strings.Repeat(`{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, `, 6)+`{"index": 9, "value": 1, "op": "SCMP_CMP_EQ"}]}]`), "runc strict youki youki@0.6"},
		{"7.6", "arch-short", document(allowed, `"architectures": ["x86_64", "X86"]`), "runc strict youki youki@0.6"},
		{"7.6", "arch-lower", document(allowed, `"architectures": ["SCMP_ARCH_x86"]`), "runc strict youki youki@0.6"},
		{"7.6", "arch-native", document(allowed, `"architectures": ["SCMP_ARCH_NATIVE"]`), "crun"},
		{"7.7", "notify-default", document(`"defaultAction": "SCMP_ACT_NOTIFY"`, `"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]`), "runc youki youki@0.6"},
		{"7.7", "notify-write", document(allowed, `"syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_NOTIFY"}]`), "runc youki youki@0.6"},
		{"7.8", "trace-65536", document(allowed, `"syscalls": [{"names": ["read"], "action": "SCMP_ACT_TRACE", "errnoRet": 65536}]`), "strict youki youki@0.6"},
		{"7.8", "trace-65535", document(allowed, `"syscalls": [{"names": ["read"], "action": "SCMP_ACT_TRACE", "errnoRet": 65535}]`), ""},
		{"7.11", "arch-loongarch64", document(allowed, `"architectures": ["SCMP_ARCH_LOONGARCH64"]`), "youki@0.6"},
		{"7.11", "arch-sh", document(allowed, `"architectures": ["SCMP_ARCH_SH"]`), "youki@0.6"},
		{"7.11", "flag-wait", document(allowed, `"flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]`), "youki@0.6"},
		{"8.2", "flags-known", document(allowed, `"flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]`), ""},
		{"8.2", "nulls", document(allowed, `"architectures": null`, `"flags": null`, `"syscalls": [{"names": ["read"], "action": "SCMP_ACT_KILL", "errnoRet": null, "args": null}]`), ""},
		{"8.6", "key-unknown", document(allowed, `"syscalls": []`, `"syscals": [{"names": ["read"]}]`, `"note": 1`), ""},
		{"8.9", "metadata-alone", document(allowed, `"listenerMetadata": "x"`), "strict"},
	}
	a, x86 := g.abi("x86_64"), g.abi("x86")
	for _, t := range tests {
		g.file(t.name, t.text)
		for _, reading := range readings() {
			s := on("-").like(reading)
			if slices.Contains(strings.Fields(t.refusing), reading) {
				paragraph := t.paragraph
				if reading == "strict" && paragraph != "7.5" && paragraph != "7.6" {
					paragraph = "8.9"
				} else if strings.HasPrefix(t.name, "notify") {
					paragraph = "8.7"
				}
				g.refused(paragraph, t.name, s)
				continue
			}
			g.add(t.paragraph, t.name, s, slices.Concat(g.named(a, "read", 1), g.named(a, "write"), g.named(a, "kill"), g.named(x86, "read"), g.named(g.abi("sh"), "read"), g.numbered(a, 5000))...)
		}
	}
}

// bad makes the rows of section 8.
func (g *generator) bad() {
	entry := func(s string) string { return document(allowed, `"syscalls": [{"names": ["read"], `+s+`}]`) }
	cond := func(s string) string { return entry(`"action": "SCMP_ACT_KILL", "args": [{` + s + `}]`) }
	tests := []struct{ paragraph, name, text string }{
		{"8.1", "bad-empty", "{}\n"},
		{"8.1", "bad-no-default", document(`"syscalls": [{"names": ["read"], "action": "SCMP_ACT_KILL"}]`)},
		{"8.1", "bad-no-action", entry(`"args": []`)},
		{"8.1", "bad-no-index", cond(`"value": 1, "op": "SCMP_CMP_EQ"`)},
		{"8.1", "bad-no-value", cond(`"index": 1, "op": "SCMP_CMP_EQ"`)},
		{"8.1", "bad-no-op", cond(`"index": 1, "value": 1`)},
		{"8.2", "bad-list", "[]\n"},
		{"8.2", "bad-json", "{\"defaultAction\": \"SCMP_ACT_ALLOW\",}\n"},
		{"8.2", "bad-trailing", "{\"defaultAction\": \"SCMP_ACT_ALLOW\"} {}\n"},
		{"8.2", "bad-default", document(`"defaultAction": "ALLOW"`)},
		{"8.2", "bad-default-case", document(`"defaultAction": "SCMP_ACT_allow"`)},
		{"8.2", "bad-action", entry(`"action": "SCMP_ACT_DENY"`)},
		{"8.2", "bad-action-number", entry(`"action": 0`)},
		{"8.2", "bad-op", cond(`"index": 1, "value": 1, "op": "SCMP_CMP_EQUAL"`)},
		{"8.2", "bad-op-sign", cond(`"index": 1, "value": 1, "op": "=="`)},
		{"8.2", "bad-architecture", document(allowed, `"architectures": ["SCMP_ARCH_Z80"]`)},
		{"8.2", "bad-flag", document(allowed, `"flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"]`)},
		{"8.2", "bad-names", document(allowed, `"syscalls": [{"names": "read", "action": "SCMP_ACT_KILL"}]`)},
		{"8.2", "bad-syscalls", document(allowed, `"syscalls": {"names": ["read"], "action": "SCMP_ACT_KILL"}`)},
		{"8.3", "bad-index", cond(`"index": 6, "value": 1, "op": "SCMP_CMP_EQ"`)},
		{"8.3", "bad-index-far", cond(`"index": 4294967295, "value": 1, "op": "SCMP_CMP_EQ"`)},
		{"8.4", "bad-value-exponent", cond(`"index": 1, "value": 1e3, "op": "SCMP_CMP_EQ"`)},
		{"8.4", "bad-value-negative", cond(`"index": 1, "value": -1, "op": "SCMP_CMP_EQ"`)},
		{"8.4", "bad-value-fraction", cond(`"index": 1, "value": 1.0, "op": "SCMP_CMP_EQ"`)},
		{"8.4", "bad-value-text", cond(`"index": 1, "value": "1", "op": "SCMP_CMP_EQ"`)},
		{"8.4", "bad-value-wide", cond(`"index": 1, "value": 18446744073709551616, "op": "SCMP_CMP_EQ"`)},
		{"8.4", "bad-errno-wide", entry(`"action": "SCMP_ACT_ERRNO", "errnoRet": 4294967296`)},
		{"8.4", "bad-errno-negative", entry(`"action": "SCMP_ACT_ERRNO", "errnoRet": -1`)},
		{"8.5", "bad-name-empty", document(allowed, `"syscalls": [{"names": ["read", ""], "action": "SCMP_ACT_KILL"}]`)},
		{"8.6", "bad-key-twice", document(allowed, allowed)},
		{"8.6", "bad-key-twice-deep", cond(`"index": 1, "value": 1, "value": 1, "op": "SCMP_CMP_EQ"`)},
		{"8.6", "bad-key-like-syscalls", document(allowed, `"syscals": [{"names": ["read"], "action": "SCMP_ACT_KILL"}]`)},
		{"8.10", "bad-rule-elsewhere", document(allowed, `"syscalls": [{"names": ["set_tls"], "action": "SCMP_ACT_KILL", "args": [{"index": 7, "value": 1, "op": "SCMP_CMP_EQ"}]}]`)},
		{"8.10", "bad-rule-nowhere", document(allowed, `"syscalls": [{"names": [], "action": "SCMP_ACT_DENY"}]`)},
		{"8.10", "bad-rule-dropped", document(allowed, `"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 7, "value": 1, "op": "SCMP_CMP_EQ"}]}]`)},
		{"8.8", "bad-byte-orders", document(allowed, `"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_S390X"]`)},
	}
	for _, t := range tests {
		g.file(t.name, t.text)
		for _, reading := range readings() {
			g.refused(t.paragraph, t.name, on("-").like(reading))
		}
	}
	for _, targets := range []string{"x86_64,s390x", "mips,mipsel", "ppc64,ppc64le", "sh,sheb"} {
		g.refused("8.8", "allow-all", on(targets))
	}
}

// formats makes the rows of section 9.
func (g *generator) formats() {
	conditions := g.file("docker-conditions", document(`"defaultAction": "SCMP_ACT_ERRNO"`, `"defaultErrnoRet": 99`, `"syscalls": [
		{"names": ["read"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
		{"names": ["write"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE"]}},
		{"names": ["close"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE"]}},
		{"names": ["dup"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "s390x"]}},
		{"names": ["getpid"], "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["arm64", "s390x"]}},
		{"names": ["getppid"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
		{"names": ["umask"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "5.10"}},
		{"names": ["kill"], "action": "SCMP_ACT_LOG", "includes": {"arches": ["amd64"], "caps": ["CAP_SYS_PTRACE"]}, "excludes": {"minKernel": "6.0"}},
		{"name": "ioctl", "action": "SCMP_ACT_ALLOW", "args": [], "includes": {}, "excludes": {}},
		{"names": ["openat2"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}
	]`))
	for _, target := range []string{"x86_64", "aarch64", "s390x", "x86_64,x32,x86"} {
		for _, caps := range []string{"none", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN,CAP_SYS_PTRACE", "CAP_CHOWN"} {
			for _, kernel := range []string{"4.7", "4.8", "5.9", "5.10", "6.1"} {
				if kernel != "4.8" && caps != "CAP_SYS_PTRACE" {
					continue
				}
				a := g.abi(strings.Split(target, ",")[0])
				s := on(target).option("cap=" + caps + " kernel=" + kernel)
				for _, call := range append(common(), "kill", "ioctl") {
					paragraph := map[string]string{"read": "9.3", "write": "9.2", "close": "9.3", "dup": "9.3", "getpid": "9.2", "getppid": "9.3", "umask": "9.2", "kill": "9.3", "ioctl": "9.5"}[call]
					g.add(paragraph, conditions, s, g.named(a, call)...)
				}
			}
		}
	}
	mapped := g.file("docker-archmap", document(allowed, `"archMap": [
		{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
		{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
		{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_RISCV64"]}
	]`, `"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO"}]`))
	unmapped := g.file("docker-archmap-others", document(allowed, `"archMap": [{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}]`))
	for _, name := range []string{mapped, unmapped} {
		for _, a := range []string{"x86_64", "x86", "aarch64", "arm", "riscv64"} {
			g.add("9.4", name, on("-").option("cap=none kernel=6.1"), g.named(g.abi(a), "read")...)
		}
		g.add("9.4", name, on("-").option("cap=none kernel=6.1"), g.numbered(g.abi("x86_64"), 0x40000000, 0xffffffff)...)
	}
	for name, text := range map[string]string{
		"docker-two-lists": document(allowed, `"architectures": ["SCMP_ARCH_X86"]`, `"archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}]`),
		"docker-two-names": document(allowed, `"syscalls": [{"name": "read", "names": ["write"], "action": "SCMP_ACT_ERRNO"}]`),
	} {
		g.file(name, text)
	}
	g.refused("9.4", "docker-two-lists", on("-").option("cap=none kernel=6.1"))
	g.refused("9.5", "docker-two-names", on("-").option("cap=none kernel=6.1"))
}
