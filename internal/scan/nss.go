package scan

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// nssDatabases tells which databases of nsswitch.conf(5) functions of glibc look into, and
// which functions of a service they call for that: those with the prefix _nss_SERVICE_.
var nssDatabases = [...]struct {
	database string
	names    string // exported functions, without "_r"
	calls    string // functions of a service
}{
	{"passwd", "getpwnam", "getpwnam_r"},
	{"passwd", "getpwuid", "getpwuid_r"},
	{"passwd", "getpwent setpwent endpwent", "setpwent getpwent_r endpwent"},
	{"group", "getgrnam", "getgrnam_r"},
	{"group", "getgrgid", "getgrgid_r"},
	{"group", "getgrent setgrent endgrent", "setgrent getgrent_r endgrent"},
	{"initgroups", "initgroups getgrouplist", "initgroups_dyn setgrent getgrent_r endgrent"},
	{"shadow", "getspnam", "getspnam_r"},
	{"shadow", "getspent setspent endspent", "setspent getspent_r endspent"},
	{"gshadow", "getsgnam", "getsgnam_r"},
	{"gshadow", "getsgent setsgent endsgent", "setsgent getsgent_r endsgent"},
	{"hosts", "getaddrinfo getnameinfo gethostbyname gethostbyname2", "gethostbyname_r gethostbyname2_r gethostbyname3_r gethostbyname4_r getcanonname_r"},
	{"hosts", "getnameinfo gethostbyaddr", "gethostbyaddr_r gethostbyaddr2_r"},
	{"hosts", "gethostent sethostent endhostent", "sethostent gethostent_r endhostent"},
	{"networks", "getnetbyname getnetbyaddr getnetent setnetent endnetent getnameinfo", "getnetbyname_r getnetbyaddr_r setnetent getnetent_r endnetent"},
	{"protocols", "getprotobyname getprotobynumber getprotoent setprotoent endprotoent", "getprotobyname_r getprotobynumber_r setprotoent getprotoent_r endprotoent"},
	{"services", "getservbyname getservbyport getservent setservent endservent getaddrinfo getnameinfo", "getservbyname_r getservbyport_r setservent getservent_r endservent"},
	{"ethers", "ether_ntohost ether_hostton", "gethostton_r getntohost_r setetherent getetherent_r endetherent"},
	{"rpc", "getrpcbyname getrpcbynumber getrpcent setrpcent endrpcent", "getrpcbyname_r getrpcbynumber_r setrpcent getrpcent_r endrpcent"},
	{"netgroup", "setnetgrent innetgr getnetgrent endnetgrent", "setnetgrent getnetgrent_r endnetgrent"},
	{"aliases", "getaliasbyname getaliasent setaliasent endaliasent", "getaliasbyname_r setaliasent getaliasent_r endaliasent"},
	{"publickey", "getpublickey getsecretkey", "getpublickey getsecretkey netname2user"},
}

// nss loads the modules of the name service switch that a program uses: those that
// nsswitch.conf names for the databases that reached functions look into. "files" and "dns"
// are in libc since glibc 2.34, and are loaded where they are not.
func (p *program) nss() {
	p.staticNSS()
	for i, db := range nssDatabases {
		for name := range strings.FieldsSeq(db.names) {
			from, ok := p.apis[name]
			if !ok {
				from, ok = p.apis[name+"_r"]
			}
			if !ok || p.modules[from.mod] != p.libc() || !p.once(fmt.Sprint("nss ", i)) {
				continue
			}
			for _, service := range p.nssServices(db.database) {
				p.nssModule(service, db.database, strings.Fields(db.calls), from)
			}
		}
	}
}

// staticNSS loads the modules that a static program with glibc uses. Stripped, it does not tell for
// which database: those for all count.
func (p *program) staticNSS() {
	from, ok := p.usesText("libnss_%s.so%s")
	if !ok || !p.once("static NSS") {
		return
	}
	for _, db := range nssDatabases {
		for _, service := range p.nssServices(db.database) {
			p.nssModule(service, db.database, strings.Fields(db.calls), from)
		}
	}
}

// usesText returns a reached function of a static program that mentions a text.
func (p *program) usesText(text string) (fid, bool) {
	m := p.modules[0]
	if m.file.Interp != "" || m.file.Go != nil {
		return none, false
	}
	for _, s := range m.file.Segments {
		i := bytes.Index(s.Data, []byte(text+"\x00"))
		if i < 0 {
			continue
		}
		addr := s.Addr + uint64(i)
		for fn := range m.nodes {
			if _, found := slices.BinarySearch(m.code.Funcs[fn].Mentions, addr); found && m.nodes[fn].reached {
				return fid{0, int32(fn)}, true
			}
		}
	}
	return none, false
}

// nssModule loads the module of a service, and reaches functions of it.
func (p *program) nssModule(service, database string, calls []string, from fid) {
	name := "libnss_" + service + ".so.2"
	path, ok := p.search.library(name, p.modules[from.mod].chain())
	if !ok {
		return // then glibc does without it
	}
	m := p.plug(path, "NSS ("+database+": "+service+")")
	if m == nil {
		return // which is listed
	}
	for _, call := range calls {
		if id, ok := p.exported(m, "_nss_"+service+"_"+call); ok {
			p.visitLate(target{m, m.file.Funcs[id.fn].Addr}, from, "NSS")
		}
	}
}

// nssServices returns the services of a database.
func (p *program) nssServices(database string) []string {
	config := p.search.lines("/etc/nsswitch.conf")
	for _, line := range config {
		name, list, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) != database {
			continue
		}
		for { // [NOTFOUND=return] is what to do after a service
			before, after, found := strings.Cut(list, "[")
			if !found {
				return strings.Fields(list)
			}
			_, after, _ = strings.Cut(after, "]")
			list = before + " " + after
		}
	}
	if database == "initgroups" {
		return p.nssServices("group")
	}
	switch database { // glibc's nss/nss_database.c
	case "hosts", "networks":
		return []string{"dns", "files"}
	case "passwd", "group", "shadow":
		return []string{"compat", "files"}
	}
	return []string{"files"}
}
