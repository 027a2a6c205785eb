package systemd

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// A namespace is a kind of namespace: systemd's name, and its flag of linux/sched.h.
type namespace struct {
	name string
	flag uint64
}

var namespaces = [...]namespace{
	{"cgroup", 0x02000000}, {"ipc", 0x08000000}, {"net", 0x40000000}, {"mnt", 0x00020000},
	{"pid", 0x20000000}, {"user", 0x10000000}, {"uts", 0x04000000}, {"time", 0x00000080},
}

func (r *reader) readNamespaces(a *assignment) {
	all := r.allNamespaces()
	if a.value == "" {
		r.namespaces = namespaceList{}
		return
	}
	if on, ok := parseBool(a.value); ok {
		r.namespaces = namespaceList{true, a.here(), all}
		if on {
			r.namespaces.kept = 0
		}
		return
	}
	inverted, from := a.value[0] == '~', 0
	if inverted {
		from = 1
	}
	words, _ := a.words(from, false)
	named := uint64(0)
	for _, w := range words {
		i := slices.IndexFunc(namespaces[:], func(n namespace) bool { return n.name == w.string })
		if i < 0 {
			cure := cmp.Or(separators(w.string), r.Near(func() string {
				return unknown.NearestOf(w.string, len(namespaces), func(i int) string { return namespaces[i].name })
			}))
			r.Warn(policy.UnknownName, a.place(w.at), unknown.Quote(w.string)+": not a kind of namespace, so systemd ignores the line"+cure)
			return
		}
		named |= namespaces[i].flag
	}
	switch l := &r.namespaces; {
	case !l.set && inverted:
		*l = namespaceList{true, a.here(), all &^ named}
	case !l.set:
		*l = namespaceList{true, a.here(), named}
	case inverted:
		l.kept &^= named
	default:
		l.kept |= named
	}
}

// familyNames are the address families that systemd knows, behind AF_, by number
// (linux/socket.h).
var families = [...]string{
	1: "UNIX", "INET", "AX25", "IPX", "APPLETALK", "NETROM", "BRIDGE", "ATMPVC", "X25", "INET6", "ROSE", "DECNET",
	"NETBEUI", "SECURITY", "KEY", "NETLINK", "PACKET", "ASH", "ECONET", "ATMSVC", "RDS", "SNA", "IRDA", "PPPOX",
	"WANPIPE", "LLC", "IB", "MPLS", "CAN", "TIPC", "BLUETOOTH", "IUCV", "RXRPC", "ISDN", "PHONET", "IEEE802154",
	"CAIF", "ALG", "NFC", "VSOCK", "KCM", "QIPCRTR", "SMC", "XDP", "MCTP",
}

// family returns the number of a family, 0 if there is none of that name. Letter case does
// not matter.
func family(name string) uint64 {
	name = strings.ToUpper(name)
	name, ok := strings.CutPrefix(name, "AF_")
	switch {
	case !ok || name == "":
		return 0
	case name == "LOCAL" || name == "FILE":
		name = "UNIX"
	case name == "ROUTE":
		name = "NETLINK"
	}
	return uint64(max(0, slices.Index(families[:], name)))
}

func (r *reader) readFamilies(a *assignment) {
	l := &r.families
	switch {
	case a.value == "":
		*l = familyList{}
		return
	case a.value == "none":
		*l = familyList{mode: allow, place: a.here()}
		return
	}
	inverted, from := a.value[0] == '~', 0
	if inverted {
		from = 1
	}
	if l.values == nil { // also behind none, where it decides anew what the list is
		*l = familyList{allow, a.here(), make(map[uint64]bool)}
		if inverted {
			l.mode = deny
		}
	}
	words, ok := a.words(from, true)
	for _, w := range words {
		v := family(w.string)
		if v == 0 {
			rest := "it"
			if r.release.version >= 262 {
				rest = "it and the rest of the line"
			}
			cure := cmp.Or(separators(w.string), r.Near(func() string {
				if prefixed := "AF_" + strings.ToUpper(w.string); family(prefixed) != 0 {
					return prefixed
				}
				return unknown.NearestOf(w.string, len(families)-1, func(i int) string { return "AF_" + families[i+1] })
			}))
			r.Warn(policy.UnknownName, a.place(w.at), unknown.Quote(w.string)+": not an address family, so systemd ignores "+rest+cure)
			if r.release.version >= 262 {
				return
			}
			continue
		}
		if (l.mode == allow) != inverted {
			l.values[v] = true
		} else {
			delete(l.values, v)
		}
	}
	r.checkQuotes(a, ok)
}
