package scan

import "strings"

// nssDatabases tells which databases of nsswitch.conf(5) functions of glibc use, by how
// their names start after "get", "set", "end" and such.
var nssDatabases = [...]struct {
	database string
	names    string // exported functions that look something up in it
}{
	{"passwd", "getpwnam getpwnam_r getpwuid getpwuid_r getpwent getpwent_r"},
	{"group", "getgrnam getgrnam_r getgrgid getgrgid_r getgrent getgrent_r"},
	{"initgroups", "initgroups getgrouplist"},
	{"shadow", "getspnam getspnam_r getspent getspent_r"},
	{"gshadow", "getsgnam getsgnam_r getsgent getsgent_r"},
	{"hosts", "getaddrinfo getnameinfo gethostbyname gethostbyname_r gethostbyname2 gethostbyname2_r gethostbyaddr gethostbyaddr_r gethostent gethostent_r"},
	{"networks", "getnetbyname getnetbyname_r getnetbyaddr getnetbyaddr_r getnetent getnetent_r getnameinfo"},
	{"protocols", "getprotobyname getprotobyname_r getprotobynumber getprotobynumber_r getprotoent getprotoent_r"},
	{"services", "getservbyname getservbyname_r getservbyport getservbyport_r getservent getservent_r getaddrinfo getnameinfo"},
	{"ethers", "ether_ntohost ether_hostton"},
	{"rpc", "getrpcbyname getrpcbyname_r getrpcbynumber getrpcbynumber_r getrpcent getrpcent_r"},
	{"netgroup", "setnetgrent innetgr getnetgrent getnetgrent_r"},
	{"aliases", "getaliasbyname getaliasbyname_r getaliasent getaliasent_r"},
}

// nss loads the modules of the name service switch that a program uses: those that
// nsswitch.conf names for the databases that reached functions look into. "files" and "dns"
// are in libc since glibc 2.34, and are loaded where they are not.
func (p *program) nss() {
	for _, db := range nssDatabases {
		for name := range strings.FieldsSeq(db.names) {
			from, ok := p.apis[name]
			if !ok || p.modules[from.mod] != p.libc() || !p.once("nss "+db.database) {
				continue
			}
			for _, service := range p.nssServices(db.database) {
				p.plugLibrary("libnss_"+service+".so.2", "NSS ("+db.database+": "+service+")", from)
			}
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
