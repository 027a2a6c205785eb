package cbpf

// Data is struct seccomp_data, what the kernel shows a filter about one call.
type Data struct {
	NR   uint32    // system call number; the kernel's int, compared unsigned by filters
	Arch uint32    // AUDIT_ARCH value of the calling ABI
	IP   uint64    // instruction pointer at the call
	Args [6]uint64 // arguments; 32-bit ABIs leave the upper halves zero
}

// Offsets of the words of struct seccomp_data, in bytes.
const (
	OffNR   = 0
	OffArch = 4
	OffIP   = 8
	OffArgs = 16
	// DataSize is the size of struct seccomp_data.
	DataSize = 64
)

// word returns what a load at byte off sees, off being a multiple of 4 below
// [DataSize]. The low half of a 64-bit field comes first in a little-endian
// kernel, second in a big-endian one.
func (d *Data) word(off uint32, big bool) uint32 {
	var v uint64
	switch {
	case off >= OffArgs:
		v = d.Args[(off-OffArgs)/8%uint32(len(d.Args))]
	case off >= OffIP:
		v = d.IP
	case off == OffArch:
		return d.Arch
	default:
		return d.NR
	}
	if (off&4 != 0) != big {
		v >>= 32
	}
	return uint32(v)
}
