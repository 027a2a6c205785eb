package scan

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
)

// An entry of the cache is numbers of variable length (encoding/binary), followed by the
// SHA-256 of all before. Addresses in a list are the differences to the ones before.

// An encoder writes an entry.
type encoder struct{ data []byte }

func (e *encoder) number(n uint64) { e.data = binary.AppendUvarint(e.data, n) }

func (e *encoder) flag(b bool) {
	if b {
		e.number(1)
		return
	}
	e.number(0)
}

func (e *encoder) list(addrs []uint64) {
	e.number(uint64(len(addrs)))
	last := uint64(0)
	for _, a := range addrs {
		e.number(a - last)
		last = a
	}
}

func encodeEntry(m *code.Module) []byte {
	var e encoder
	e.number(uint64(len(m.Funcs)))
	for i := range m.Funcs {
		f, bounds := &m.Funcs[i], &m.File.Funcs[i]
		e.number(bounds.Addr)
		e.number(bounds.Size)
		e.flag(bounds.Gap)
		e.flag(f.NoReturn)
		for _, l := range lists(f) {
			e.list(*l)
		}
		e.number(uint64(len(f.Calls)))
		for _, c := range f.Calls {
			for _, n := range [...]uint64{c.At, c.To, c.Slot, uint64(c.Middle)} {
				e.number(n)
			}
			e.flag(c.Tail)
		}
	}
	sum := sha256.Sum256(e.data)
	return append(e.data, sum[:]...)
}

// lists returns the lists of addresses of a function.
func lists(f *code.Function) []*[]uint64 {
	return []*[]uint64{&f.Mentions, &f.Direct, &f.Written, &f.Sites, &f.Legacy, &f.Indirect}
}

// A decoder reads an entry. After the end or a mistake it reads zeros.
type decoder struct {
	data   []byte
	failed bool
}

var errEntry = errors.New("scan: entry of the cache is damaged")

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.data)
	if size <= 0 {
		d.failed, d.data = true, nil
		return 0
	}
	d.data = d.data[size:]
	return n
}

// count reads a number of things, each of which takes at least some bytes.
func (d *decoder) count(bytes int) int {
	n := d.number()
	if n > uint64(len(d.data)/bytes) {
		d.failed, d.data = true, nil
		return 0
	}
	return int(n)
}

func (d *decoder) list() (addrs []uint64) {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	addrs = make([]uint64, n)
	last := uint64(0)
	for i := range addrs {
		last += d.number()
		addrs[i] = last
	}
	return addrs
}

func decodeEntry(data []byte) (bounds []object.Func, funcs []code.Function, err error) {
	n := len(data) - sha256.Size
	if n < 0 {
		return nil, nil, errEntry
	}
	if sum := sha256.Sum256(data[:n]); !bytes.Equal(sum[:], data[n:]) {
		return nil, nil, errEntry
	}
	d := decoder{data: data[:n]}
	bounds, funcs = d.functions()
	if d.failed || len(d.data) > 0 {
		return nil, nil, errEntry
	}
	return bounds, funcs, nil
}

func (d *decoder) functions() (bounds []object.Func, funcs []code.Function) {
	funcs = make([]code.Function, d.count(11)) // each has at least so many numbers
	bounds = make([]object.Func, len(funcs))
	for i := range funcs {
		f := &funcs[i]
		bounds[i] = object.Func{Addr: d.number(), Size: d.number(), Gap: d.number() != 0}
		f.NoReturn = d.number() != 0
		for _, l := range lists(f) {
			*l = d.list()
		}
		if n := d.count(5); n > 0 {
			f.Calls = make([]code.Call, n)
		}
		for j := range f.Calls {
			c := &f.Calls[j]
			c.At, c.To, c.Slot, c.Middle = d.number(), d.number(), d.number(), uint32(d.number())
			c.Tail = d.number() != 0
		}
	}
	return bounds, funcs
}
