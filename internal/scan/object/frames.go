package object

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// Encodings of pointers in .eh_frame and .eh_frame_hdr (DWARF exception headers; LSB, 10.5.1).
const (
	encodingForm     = 0x0f
	encodingBase     = 0x70
	encodingPCRel    = 0x10
	encodingDataRel  = 0x30
	encodingIndirect = 0x80
	encodingOmit     = 0xff
)

// frames finds the bounds of functions in .eh_frame: every function that exceptions or
// backtraces can cross has an entry (FDE) with its first address and length. Stripping leaves
// them.
func (r *reader) frames() {
	for _, s := range r.sections {
		if s.name == ".eh_frame" && elf.SectionFlag(s.Flags)&elf.SHF_ALLOC != 0 {
			if data, ok := r.file.bytesOf(s.Addr, s.Size); ok {
				r.frameList(s.Addr, data, true)
				return
			}
		}
	}
	for _, p := range r.progs {
		if elf.ProgType(p.Type) == elf.PT_GNU_EH_FRAME {
			r.frameHeader(p.Vaddr)
			return
		}
	}
	if len(r.sections) == 0 && r.file.Go == nil {
		r.frameSearch()
	}
}

// frameSearch looks for .eh_frame by its form: static programs have no header of it, and need
// not have section headers.
func (r *reader) frameSearch() {
	cie := []byte{0, 0, 0, 0, 1, 'z'} // id, version, augmentation
	for _, s := range r.file.Segments {
		for at := 4; at < len(s.Data); {
			next := bytes.Index(s.Data[at:], cie)
			if next < 0 {
				break
			}
			at += next
			if addr := s.Addr + uint64(at); at%4 == 0 && r.frameCommon(addr+4, s.Data[at+4:]).ok {
				at += r.frameList(addr-4, s.Data[at-4:], false)
			}
			at += len(cie)
		}
	}
}

// frameHeader reads .eh_frame_hdr for the address of .eh_frame, whose length it does not tell.
func (r *reader) frameHeader(at uint64) {
	data := r.file.Bytes(at)
	if len(data) < 4 || data[0] != 1 {
		r.note("%s: unknown version", elf.PT_GNU_EH_FRAME)
		return
	}
	c := &cursor{file: r.file, at: at + 4, data: data[4:], dataBase: at}
	if list := c.pointer(data[1]); c.ok() {
		r.frameList(list, r.file.Bytes(list), false)
	}
}

// A frameCommon is what an FDE takes from its CIE.
type frameCommon struct {
	encoding byte
	signal   bool
	ok       bool
}

// frameList reads the entries of .eh_frame. Linkers put an empty entry at the end, and some
// also between parts, which only counts as the end if nothing else bounds the list. It
// returns the size of what was read.
func (r *reader) frameList(at uint64, data []byte, bounded bool) int {
	commons, all := map[uint64]frameCommon{}, len(data)
	for len(data) >= 4 {
		length, head := uint64(binary.LittleEndian.Uint32(data)), uint64(4)
		if length == 0 {
			if !bounded {
				break
			}
			at, data = at+4, data[4:]
			continue
		}
		if length == 0xffffffff && len(data) >= 12 {
			length, head = binary.LittleEndian.Uint64(data[4:]), 12
		}
		if length < 4 || length > uint64(len(data))-head {
			r.note(".eh_frame: entry at %#x exceeds the table", at)
			break
		}
		entry := data[head : head+length]
		id := uint64(binary.LittleEndian.Uint32(entry))
		if id == 0 {
			commons[at] = r.frameCommon(at+head+4, entry[4:])
		} else if common := commons[at+head-id]; common.ok {
			r.frame(common, at+head+4, entry[4:])
		} else {
			r.note(".eh_frame: entry at %#x has no readable CIE", at)
		}
		at, data = at+head+length, data[head+length:]
	}
	return all - len(data)
}

// frameCommon reads a CIE behind its id.
func (r *reader) frameCommon(at uint64, data []byte) frameCommon {
	var common frameCommon
	if len(data) == 0 || data[0] != 1 && data[0] != 3 {
		return common
	}
	version := data[0]
	augmentation, rest, ok := bytes.Cut(data[1:], []byte{0})
	if !ok {
		return common
	}
	c := &cursor{file: r.file, at: at + uint64(len(data)-len(rest)), data: rest}
	c.leb() // alignment of code
	c.leb() // alignment of data
	if version == 1 {
		c.take(1)
	} else {
		c.leb()
	}
	for _, letter := range augmentation {
		switch letter {
		case 'z':
			c.leb()
		case 'R':
			common.encoding = c.byte()
		case 'P':
			c.pointer(c.byte() &^ encodingIndirect)
		case 'L':
			c.take(1)
		case 'S':
			common.signal = true
		case 'B', 'G': // keys of pointer authentication, tagged stack: without data
		default:
			return common
		}
	}
	common.ok = c.ok()
	return common
}

// frame reads an FDE behind the reference to its CIE.
func (r *reader) frame(common frameCommon, at uint64, data []byte) {
	c := &cursor{file: r.file, at: at, data: data}
	first := c.pointer(common.encoding)
	size := c.pointer(common.encoding & encodingForm)
	if !c.ok() {
		r.note(".eh_frame: entry at %#x is cut off", at)
		return
	}
	if first == 0 || size == 0 || !r.file.Executable(first) {
		return // what the linker dropped
	}
	if common.signal && r.restorer(first+1) {
		// The C library lets the entry of the function that ends a signal handler begin
		// one byte early, since unwinding looks up the address before the return address.
		first, size = first+1, size-1
	}
	r.starts = append(r.starts, start{addr: first, size: size})
	// In assembly the entry can begin with the padding in front of the function.
	code := r.file.Bytes(first)
	code = code[:min(size, 16, uint64(len(code)))]
	if pad := uint64(padding(r.file.Machine, code)); first%16 != 0 && pad < size && (first+pad)%16 == 0 {
		r.starts = append(r.starts, start{addr: first + pad, size: size - pad})
	}
}

// restorer tells whether the code at addr is MOV $15, RAX or EAX (rt_sigreturn), SYSCALL.
func (r *reader) restorer(addr uint64) bool {
	code := r.file.Bytes(addr)
	return r.file.Machine == AMD64 && (bytes.HasPrefix(code, []byte{0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05}) ||
		bytes.HasPrefix(code, []byte{0xb8, 15, 0, 0, 0, 0x0f, 0x05}))
}

// A cursor reads variable-length data; at is the address of the first byte of data.
type cursor struct {
	file     *File
	at       uint64
	data     []byte
	dataBase uint64
	failed   bool
}

func (c *cursor) ok() bool { return !c.failed }

// take returns the next n bytes, or zeros at the end.
func (c *cursor) take(n int) []byte {
	if n > len(c.data) {
		c.failed = true
		return make([]byte, n)
	}
	b := c.data[:n]
	c.at, c.data = c.at+uint64(n), c.data[n:]
	return b
}

func (c *cursor) byte() byte { return c.take(1)[0] }

// leb reads a number in LEB128, signed or not: the low 64 bits.
func (c *cursor) leb() uint64 {
	var value uint64
	for shift := 0; !c.failed; shift += 7 {
		b := c.byte()
		value |= uint64(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
	}
	return value
}

// pointer reads one by its encoding.
func (c *cursor) pointer(encoding byte) uint64 {
	if encoding == encodingOmit {
		c.failed = true
		return 0
	}
	at, value := c.at, uint64(0)
	le := binary.LittleEndian
	switch encoding & encodingForm {
	case 0x0, 0x4, 0xc:
		value = le.Uint64(c.take(8))
	case 0x2:
		value = uint64(le.Uint16(c.take(2)))
	case 0xa:
		value = uint64(int16(le.Uint16(c.take(2))))
	case 0x3:
		value = uint64(le.Uint32(c.take(4)))
	case 0xb:
		value = uint64(int32(le.Uint32(c.take(4))))
	default: // LEB128, which no compiler uses here
		c.failed = true
	}
	switch encoding & encodingBase {
	case 0:
		if word, ok := c.relocated(at, encoding); ok {
			value = word
		}
	case encodingPCRel:
		value += at
	case encodingDataRel:
		value += c.dataBase
	default:
		c.failed = true
	}
	if encoding&encodingIndirect != 0 {
		word, ok := c.file.Word(value)
		value, c.failed = word, c.failed || !ok
	}
	return value
}

// relocated returns an absolute pointer of a file that is relocated as a whole.
func (c *cursor) relocated(at uint64, encoding byte) (uint64, bool) {
	if encoding&encodingForm != 0 {
		return 0, false
	}
	if _, ok := c.file.Reloc(at); !ok {
		return 0, false
	}
	return c.file.Word(at)
}
