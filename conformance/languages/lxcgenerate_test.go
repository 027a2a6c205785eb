package languages

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A lottery draws from lists.
type lottery struct {
	*rand.Rand
	calls []string // all names
}

// one returns one of some words, which "|" separates.
func (l lottery) one(words string) string {
	list := strings.Split(words, "|")
	return list[l.IntN(len(list))]
}

// chance reports whether one in n happens.
func (l lottery) chance(n int) bool { return l.IntN(n) == 0 }

// randomLXC returns a policy: valid as a rule, and with some odd or bad part in one of three.
func randomLXC(r *rand.Rand, calls []string) []byte {
	l := lottery{r, calls}
	text := ""
	if l.chance(12) {
		text = l.version1()
	} else {
		text = l.version2()
	}
	if l.chance(6) {
		text = l.spoil(text)
	}
	return []byte(text)
}

func (l lottery) version1() string {
	var b strings.Builder
	b.WriteString("1\n" + l.one("allowlist|allowlist|allowlist|my allowlist|allowlist errno 1|whitelist|denylist") + "\n")
	for range l.IntN(8) {
		switch l.IntN(12) {
		case 0:
			b.WriteString(l.one("-1|-2|-99|-100|-101|-221|-10001|-10500|1073741824|1073741825|4294967295|4294967296|2147483647|2147483648|100000|0x10|007|+3"))
		default:
			fmt.Fprint(&b, l.IntN(450))
		}
		b.WriteString(l.one("||||||| read|,2| # c|\r") + "\n")
	}
	return b.String()
}

func (l lottery) version2() string {
	var b strings.Builder
	b.WriteString(l.rarely(16, "2", "02|+2| 2|2 |2\n|3|two|4294967298") + "\n")
	style := l.one("denylist|allowlist|blacklist|whitelist")
	b.WriteString(l.rarely(16, style, "allowlistX|denylists|list"))
	fallback := "kill"
	if style == "denylist" || style == "blacklist" {
		fallback = "allow"
	}
	if l.chance(2) {
		fallback = l.action("")
		b.WriteString(" " + fallback)
	}
	b.WriteString(l.rarely(16, "", " | # c|\r| x") + "\n")
	names := l.names()
	actions := []string{l.action(fallback), l.action(fallback), l.action(fallback)}
	for range l.IntN(9) {
		switch l.IntN(14) {
		case 0:
			b.WriteString(l.rarely(8, l.one("[x86]|[x86_64]|[x32]|[all]|[ALL]|[X86_64]|[arm]|[arm64]|[mips64]|[S390X]|[X32]"), "[loongarch64]|[sparc]|[all] |[Arm]"))
		case 1:
			b.WriteString(l.one("|# c|  # c|reject_force_umount|reject_force_umount # c|reject_force_umount errno 2|reject_force_umounts| |no_such_call errno 1|165 kill"))
		default:
			b.WriteString(l.rule(names[l.IntN(len(names))], actions[l.IntN(len(actions))]))
		}
		b.WriteString(l.rarely(60, "", " |\r| # c") + "\n")
	}
	text := b.String()
	if l.chance(10) {
		text = strings.TrimSuffix(text, "\n")
	}
	return text
}

// names returns a few names, so that rules meet.
func (l lottery) names() (names []string) {
	for range 1 + l.IntN(4) {
		if l.chance(3) {
			names = append(names, l.one("socket|bind|sendmmsg|recv|shmget|semtimedop|socketcall|ipc|stat64|ioctl|ptrace|umount2|umount|accept4|execve|mseal|read"))
		} else {
			names = append(names, l.calls[l.IntN(len(l.calls))])
		}
	}
	return names
}

// action returns an action, mostly another than one that all calls get.
func (l lottery) action(fallback string) string {
	action := l.one("kill|allow|trap|notify|errno 1|errno 2|errno 13|errno 38|errno 0")
	if action == fallback {
		action = l.one("errno 5|trap")
	}
	return l.rarely(20, action, "errno -1|errno 65536|errno 65537|errno 4094|errno 4095|errno 4096|errno 70000|errno|errno x|errno99|errno\t3|errno +4|errno 5x|errno 2147483648|errno 4294967297|errno 0x1|log|KILL|killer|allowed|trapped|notifyX| kill|  errno  7|trap ")
}

// rarely returns a usual word, and in one of n cases one of some others.
func (l lottery) rarely(n int, usual, others string) string {
	if l.chance(n) {
		return l.one(others)
	}
	return usual
}

func (l lottery) rule(name, action string) string {
	line := name
	if !l.chance(8) {
		line += l.rarely(24, " ", "  |\t") + action
	}
	if l.chance(2) {
		return line
	}
	n := l.IntN(3)
	if l.chance(10) {
		n = 5 + l.IntN(3)
	}
	for i := range n {
		line += l.rarely(8, " ", "| x |  ") + l.condition(i)
	}
	return line
}

// condition returns a condition, mostly on an argument that none before is on.
func (l lottery) condition(i int) string {
	index := fmt.Sprint(i % 6)
	if l.chance(30) {
		index = l.one("0|1|2|5|6|-1|0x1|01|4294967296|+2| 3|0b1|0x|08|")
	}
	if l.chance(60) {
		return l.one("[|[]|[,,]|[" + index + "|[" + index + ",1]|[ " + index + ",1,==]|[" + index + " ,1,==]|[" + index + ",1, ==]|[" + index + ",1,==|" + "[" + index + ",,==]")
	}
	op := l.one("SCMP_CMP_NE|SCMP_CMP_LT|SCMP_CMP_LE|SCMP_CMP_EQ|SCMP_CMP_GE|SCMP_CMP_GT|SCMP_CMP_MASKED_EQ|!=|<|<=|==|>=|>|&=|SCMP_CMP_MASKED_EQ")
	if l.chance(60) {
		op = l.one("scmp_cmp_eq|=|SCMP_CMP_EQ |==5|==^x|SCMP_CMP_XX|===|SCMP_CMP_MASKED_EQ_WHICH_IS_LONG_ENOUGH")
	}
	text := "[" + index + "," + l.value() + "," + op
	if strings.HasPrefix(op, "&") || strings.HasPrefix(op, "SCMP_CMP_M") || l.chance(15) {
		text += "," + l.value()
	}
	return text + l.rarely(30, "]", ",]|,9]|]]")
}

func (l lottery) value() string {
	switch l.IntN(60) {
	case 0:
		return l.one("-1|+1| 1|1 |0x|08|0b11|18446744073709551616|0x10000000000000000|000000000000000000000001|0000000000000000000000001|0x00000000000000000000001f|1_0||x")
	case 1, 2, 3, 4, 5:
		return l.one("0x100000001|0x100000000|4294967295|4294967296|18446744073709551615|0x8000000000000000|0xffffffff00000000|18446744070422410016|2147483648|0xffffffff80000000")
	default:
		return l.one("0|0|1|1|2|3|5|8192|61440|020000|0xf000|0X1f|0x80000000")
	}
}

// spoil changes a text in one or two places.
func (l lottery) spoil(text string) string {
	for range 1 + l.IntN(2) {
		i := l.IntN(len(text) + 1)
		j := min(len(text), i+l.IntN(3))
		text = text[:i] + l.one(" |\t|[|]|,|#|\r|\n|\x00|0|9|-|x|\v|\xff|debug||") + text[j:]
	}
	return text
}
