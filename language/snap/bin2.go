package snap

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/cbpf"
)

// Filters are the content of a file NAME.bin2: what snap-confine loads before it starts a
// program of the snap.
type Filters struct {
	// Unrestricted says that snap-confine loads no filter. Then there need not be any.
	Unrestricted bool
	// Deny is loaded first, and Allow over it: the newer one's error is what programs see
	// where both return one. The kernel allows a call only if both do.
	Deny, Allow *cbpf.Program
}

// The file begins with a header in the byte order of the filters (snapd's
// cmd/snap-confine/seccomp-support.c: struct sc_seccomp_file_header): "SC", the version, the
// byte that says unrestricted, 4 bytes that are not used, the lengths in bytes of the filter
// that allows and of the one that denies, and 112 bytes for later.
const (
	magic      = "SC\x01"
	headerSize = 128
	insnSize   = 8         // of struct sock_filter
	maxSize    = 32 * 1024 // of a filter: MAX_BPF_SIZE
)

// IsFilters reports whether data begins as a file NAME.bin2 of the version that this package
// knows.
func IsFilters(data []byte) bool {
	return len(data) >= 4 && string(data[:3]) == magic && data[3] <= 1
}

// Decode reads a file NAME.bin2. It refuses what snap-confine refuses, and filters that the
// kernel refuses. The byte order is that in which the lengths fit the size of the file.
func Decode(data []byte) (*Filters, error) {
	switch {
	case len(data) < headerSize && (string(data) == magic[:min(len(data), 3)] || IsFilters(data)):
		return nil, fmt.Errorf("snap: %d bytes, and the header alone has %d (copy the file again)", len(data), headerSize)
	case !IsFilters(data):
		return nil, errors.New("snap: not a file that snap-seccomp made (make it again with snap-seccomp compile)")
	}
	f := &Filters{Unrestricted: data[3] == 1}
	var order binary.ByteOrder = binary.LittleEndian
	allow, deny := lengths(data, order)
	if headerSize+allow+deny != uint64(len(data)) {
		order = binary.BigEndian
		if allow, deny = lengths(data, order); headerSize+allow+deny != uint64(len(data)) {
			return nil, fmt.Errorf("snap: %d bytes, which is not what the lengths in the header add up to (copy the file again)", len(data))
		}
	}
	if f.Unrestricted {
		return f, nil // snap-confine looks no further
	}
	var err1, err2 error
	f.Allow, err1 = decode("the filter that allows", data[headerSize:headerSize+allow], order)
	f.Deny, err2 = decode("the filter that denies", data[headerSize+allow:], order)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return f, nil
}

func lengths(data []byte, order binary.ByteOrder) (allow, deny uint64) {
	return uint64(order.Uint32(data[8:])), uint64(order.Uint32(data[12:]))
}

func decode(what string, data []byte, order binary.ByteOrder) (*cbpf.Program, error) {
	switch n := len(data); {
	case n == 0:
		return nil, fmt.Errorf("snap: %s is empty, which it may be in an unrestricted file alone (compile the policy again)", what)
	case n > maxSize || n%insnSize != 0:
		return nil, fmt.Errorf("snap: %s has %d bytes: snap-confine takes multiples of %d up to %d (compile the policy again)", what, n, insnSize, maxSize)
	}
	p, err := cbpf.Decode(data, order)
	if err != nil {
		return nil, fmt.Errorf("snap: %s: %w", what, err)
	}
	return p, nil
}

// AppendBinary implements [encoding.BinaryAppender]: it appends the file, which snap-confine
// accepts if root owns it. An unrestricted file has no filters, and no byte order. The error is about filters that are missing or of different byte orders.
func (f *Filters) AppendBinary(b []byte) ([]byte, error) {
	header := make([]byte, headerSize)
	copy(header, magic)
	if f.Unrestricted {
		header[3] = 1
		return append(b, header...), nil
	}
	if f.Allow == nil || f.Deny == nil || f.Allow.Len() == 0 || f.Deny.Len() == 0 {
		return b, errors.New("snap: snap-confine loads two filters (use one that allows all where there is only one)")
	}
	order := f.Allow.Order()
	if order != f.Deny.Order() {
		return b, errors.New("snap: the filters have different byte orders (compile both for the same machine)")
	}
	order.PutUint32(header[8:], uint32(f.Allow.Len()*insnSize))
	order.PutUint32(header[12:], uint32(f.Deny.Len()*insnSize))
	b, _ = f.Allow.AppendBinary(append(b, header...)) // the errors are always nil
	b, _ = f.Deny.AppendBinary(b)
	return b, nil
}
