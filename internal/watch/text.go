package watch

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/syscalltables"
)

// Texts returns what arguments of a call point to, as people write it, and "" for the
// other arguments: strings in quotes, with escapes and at most 256 bytes long; the first
// of a new program's arguments; addresses of sockets. The texts are those of the calling
// thread for sure, but another thread may change them before the kernel reads them.
func Texts(n *loader.Notification) [6]string { return texts(&n.Data, n.ReadMemory) }

const (
	maxText    = 256
	pageSize   = 4096 // the smallest that memory comes in
	maxAddress = 128  // bytes of struct sockaddr_storage
)

// texts reads the texts of a call from memory. read is as [loader.Notification.ReadMemory].
func texts(d *cbpf.Data, read func(b []byte, addr uint64) (int, error)) (list [6]string) {
	abi, ok := arch.ByAudit(d.Arch, d.NR)
	if !ok {
		return list
	}
	m := memory{abi, read}
	call, _ := syscalltables.ByNumber(abi, d.NR)
	for i, name := range call.Args(abi) {
		x := symbols.At(abi, call, i)
		for other, v := range d.Args {
			x = x.Given(other, v)
		}
		switch {
		case d.Args[i] == 0:
		case x.Kind() == symbols.String:
			list[i] = m.text(d.Args[i])
		case name == "argv":
			list[i] = m.vector(d.Args[i])
		case (name == "addr" || name == "dest_addr") && i+1 < len(d.Args):
			switch call.Name() {
			case "bind", "connect", "sendto":
				list[i] = m.socketAddress(d.Args[i], d.Args[i+1])
			}
		}
	}
	return list
}

// A memory is that of a process on an ABI.
type memory struct {
	abi  arch.ABI
	read func(b []byte, addr uint64) (int, error)
}

// text returns the string at an address, "" if there is none.
func (m *memory) text(addr uint64) string {
	var s []byte
	for len(s) < maxText {
		at := addr + uint64(len(s))
		part := make([]byte, min(maxText-len(s), pageSize-int(at%pageSize))) // the next page may be missing
		n, err := m.read(part, at)
		if end := bytes.IndexByte(part[:n], 0); end >= 0 {
			return strconv.Quote(string(append(s, part[:end]...)))
		}
		if err != nil || n == 0 {
			return ""
		}
		s = append(s, part[:n]...)
	}
	return strconv.Quote(string(s)) + "..."
}

// vector returns the first of the strings that an array of addresses points to.
func (m *memory) vector(addr uint64) string {
	size := m.abi.Bits() / 8
	b := make([]byte, 2*size)
	if n, _ := m.read(b, addr); n < size {
		return ""
	}
	first := m.text(m.address(b[:size]))
	switch {
	case first == "":
		return ""
	case m.address(b[size:]) != 0:
		return "[" + first + ", ...]"
	}
	return "[" + first + "]"
}

func (m *memory) address(b []byte) uint64 {
	if len(b) == 4 {
		return uint64(m.abi.ByteOrder().Uint32(b))
	}
	return m.abi.ByteOrder().Uint64(b)
}

// Families of socket addresses, whose numbers all ABIs share (linux/socket.h).
const (
	afUnix  = 1
	afInet  = 2
	afInet6 = 10
)

// socketAddress returns the address of a socket (unix(7), ip(7), ipv6(7)), "" for other
// families.
func (m *memory) socketAddress(addr, length uint64) string {
	b := make([]byte, min(uint64(uint32(length)), maxAddress))
	if n, err := m.read(b, addr); err != nil || n < 2 {
		return ""
	}
	family, b := m.abi.ByteOrder().Uint16(b), b[2:]
	switch {
	case family == afUnix && len(b) > 0 && b[0] == 0:
		return strconv.Quote("@" + string(b[1:])) // abstract
	case family == afUnix:
		path, _, _ := bytes.Cut(b, []byte{0})
		return strconv.Quote(string(path))
	case family == afInet && len(b) >= 6:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[2:6])), binary.BigEndian.Uint16(b)).String()
	case family == afInet6 && len(b) >= 22:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[6:22])), binary.BigEndian.Uint16(b)).String()
	}
	return ""
}
