package arch

import "strings"

// ErrnoName returns the name of an error number of the ABI's kernel, such as
// "EPERM", or "" if the number has none. Numbers above 34 differ between ABIs:
// ENOSYS is 38 on most, 89 on MIPS and 251 on parisc.
func (a ABI) ErrnoName(n uint16) string {
	for _, list := range a.errnos() {
		for _, r := range list {
			if n < r.first {
				continue
			}
			i := r.first
			for name := range strings.FieldsSeq(r.names) {
				if i == n {
					return name
				}
				i++
			}
		}
	}
	return ""
}

// Errno returns the number of a named error in the ABI's kernel. Apart from the names
// that ErrnoName returns it knows the second names EWOULDBLOCK, EDEADLOCK,
// ENOTSUP, EFSBADCRC and EFSCORRUPTED, and on parisc EREFUSED and ECANCELLED.
func (a ABI) Errno(name string) (uint16, bool) {
	for _, list := range a.errnos() {
		for _, r := range list {
			if n, ok := r.find(name); ok {
				return n, true
			}
		}
	}
	if first := a.errnoAlias(name); first != "" {
		return a.Errno(first)
	}
	return 0, false
}

// errnoAlias returns the name that a second name stands for. EDEADLOCK has a
// number of its own on MIPS and PowerPC, and its table is asked first. parisc's
// libc and kernel have disagreed on ENOTSUP, so it is nothing there.
func (a ABI) errnoAlias(name string) string {
	parisc := a == PARISC || a == PARISC64
	switch name {
	case "EWOULDBLOCK":
		return "EAGAIN"
	case "EDEADLOCK":
		return "EDEADLK"
	case "EFSBADCRC":
		return "EBADMSG"
	case "EFSCORRUPTED":
		return "EUCLEAN"
	case "ENOTSUP":
		if !parisc {
			return "EOPNOTSUPP"
		}
	case "EREFUSED":
		if parisc {
			return "ECONNREFUSED"
		}
	case "ECANCELLED":
		if parisc {
			return "ECANCELED"
		}
	}
	return ""
}

// errnos returns the lists of the ABI's errors: none for the zero ABI.
func (a ABI) errnos() [][]run {
	switch a.Main() {
	case 0:
		return nil
	case MIPS64, MIPSEL64:
		return [][]run{baseErrnos, mipsErrnos}
	case PARISC64:
		return [][]run{baseErrnos, pariscErrnos}
	case PPC64, PPC64LE:
		return [][]run{baseErrnos, genericErrnos, powerpcErrnos}
	default:
		return [][]run{baseErrnos, genericErrnos}
	}
}

// A run is names of consecutive error numbers, separated by spaces.
type run struct {
	first uint16
	names string
}

// find returns the number of a name.
func (r run) find(name string) (uint16, bool) {
	if name == "" || strings.Contains(name, " ") {
		return 0, false
	}
	for from := 0; ; {
		i := strings.Index(r.names[from:], name)
		if i < 0 {
			return 0, false
		}
		start, end := from+i, from+i+len(name)
		if (start == 0 || r.names[start-1] == ' ') && (end == len(r.names) || r.names[end] == ' ') {
			return r.first + uint16(strings.Count(r.names[:start], " ")), true
		}
		from = end // within a longer name
	}
}

// asm-generic/errno-base.h: the same everywhere.
var baseErrnos = []run{
	{1, "EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK " +
		"EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE " +
		"EROFS EMLINK EPIPE EDOM ERANGE"},
}

// asm-generic/errno.h.
var genericErrnos = []run{
	{35, "EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP"},
	{42, "ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO " +
		"EBADRQC EBADSLT"},
	{59, "EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP " +
		"EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ " +
		"ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT " +
		"ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH " +
		"ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT " +
		"ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM " +
		"EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED " +
		"EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON EFTYPE"},
}

// arch/mips: asm/errno.h.
var mipsErrnos = []run{
	{35, "ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EDEADLK ENOLCK"},
	{50, "EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT EDEADLOCK"},
	{59, "EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO"},
	{73, "EDOTDOT EMULTIHOP"},
	{77, "EBADMSG ENAMETOOLONG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC " +
		"EILSEQ ENOSYS ELOOP ERESTART ESTRPIPE ENOTEMPTY EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE " +
		"ENOPROTOOPT"},
	{120, "EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL " +
		"ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN EUCLEAN"},
	{137, "ENOTNAM ENAVAIL EISNAM EREMOTEIO EINIT EREMDEV ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED " +
		"EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE"},
	{158, "ECANCELED ENOMEDIUM EMEDIUMTYPE ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD " +
		"ENOTRECOVERABLE ERFKILL EHWPOISON EFTYPE"},
	{1133, "EDQUOT"},
}

// arch/parisc: asm/errno.h.
var pariscErrnos = []run{
	{35, "ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EDEADLK ENOLCK EILSEQ"},
	{50, "ENONET ENODATA ETIME ENOSR ENOSTR ENOPKG"},
	{57, "ENOLINK EADV ESRMNT ECOMM EPROTO"},
	{64, "EMULTIHOP"},
	{66, "EDOTDOT EBADMSG EUSERS EDQUOT ESTALE EREMOTE EOVERFLOW"},
	{160, "EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT EBFONT ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN " +
		"ELIBMAX ELIBEXEC ERESTART ESTRPIPE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO ENOMEDIUM EMEDIUMTYPE " +
		"ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED"},
	{215, "ENOSYM ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT " +
		"EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET " +
		"ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED " +
		"EREMOTERELEASE EHOSTDOWN EHOSTUNREACH"},
	{244, "EALREADY EINPROGRESS"},
	{247, "ENOTEMPTY ENAMETOOLONG ELOOP"},
	{251, "ENOSYS"},
	{253, "ECANCELED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON EFTYPE"},
}

// arch/powerpc: asm/errno.h, besides the generic ones.
var powerpcErrnos = []run{{58, "EDEADLOCK"}}
