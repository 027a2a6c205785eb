package object

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"testing"
)

// FuzzRead reads whatever bytes: without a panic, and with memory that the size of the file
// accounts for.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"small-amd64", "small-arm64"} {
		data, err := os.ReadFile("testdata/" + name + ".so")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		bare := append([]byte(nil), data...)
		clear(bare[40:48]) // e_shoff
		f.Add(bare)
	}
	f.Fuzz(func(t *testing.T, data []byte) { readHostile(t, data) })
}

// FuzzGo overwrites words of a Go program, among its tables and elsewhere.
func FuzzGo(f *testing.F) {
	out := buildGo(f, "amd64", "0", "-ldflags=-s -w")
	data, err := os.ReadFile(out)
	if err != nil {
		f.Fatal(err)
	}
	regions := goRegions(f, data)
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		patches := make([]byte, patchSize*(1+random.IntN(8)))
		for i := range patches {
			patches[i] = byte(random.Uint32())
		}
		f.Add(patches)
	}
	f.Fuzz(func(t *testing.T, patches []byte) {
		changed := append([]byte(nil), data...)
		for ; len(patches) >= patchSize; patches = patches[patchSize:] {
			patch(changed, regions, patches)
		}
		readHostile(t, changed)
	})
}

// patchSize is that of the description of a change: region, kind, size in bytes, offset, value.
const patchSize = 15

// patch changes a word in one of the regions: to the value, or by a small sum.
func patch(data []byte, regions [][2]uint64, p []byte) {
	region := regions[int(p[0])%len(regions)]
	size := 1 << (p[1] % 4)
	at := region[0] + uint64(binary.LittleEndian.Uint32(p[3:]))%(region[1]-region[0])
	at &^= uint64(size - 1)
	if at+8 > uint64(len(data)) {
		return
	}
	value := binary.LittleEndian.Uint64(p[7:])
	word := binary.LittleEndian.Uint64(data[at:])
	if p[2]%2 == 0 {
		value = word + uint64(int8(value))
	}
	var to [8]byte
	binary.LittleEndian.PutUint64(to[:], value)
	copy(data[at:at+uint64(size)], to[:])
}

// goRegions returns the offsets in the file of moduledata, the pclntab, the types, and all.
func goRegions(tb testing.TB, data []byte) [][2]uint64 {
	f, err := Read("prog", data)
	if err != nil {
		tb.Fatal(err)
	}
	offset := fileOffset(tb, data)
	regions := [][2]uint64{{0, uint64(len(data))}}
	for _, r := range f.Go.Lists {
		regions = append(regions, [2]uint64{offset(r.Start), offset(r.Start) + r.End - r.Start})
	}
	types := f.Go.Types
	return append(regions, [2]uint64{offset(types[0].Addr), offset(types[len(types)-1].Addr)})
}

// fileOffset returns what translates addresses to offsets in a file.
func fileOffset(tb testing.TB, data []byte) func(addr uint64) uint64 {
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		tb.Fatal(err)
	}
	return func(addr uint64) uint64 {
		for _, p := range file.Progs {
			if p.Type == elf.PT_LOAD && addr-p.Vaddr < p.Filesz {
				return p.Off + addr - p.Vaddr
			}
		}
		tb.Fatalf("%#x is not in the file", addr)
		return 0
	}
}

// readHostile reads a file and checks what must hold whatever it is.
func readHostile(t *testing.T, data []byte) {
	f, err := Read("hostile", data)
	if err != nil {
		return
	}
	checkLayout(t, f)
	count := len(f.Segments) + len(f.Funcs) + len(f.Relocs) + len(f.Symbols) + len(f.PLT) + len(f.Init) + len(f.Fini)
	if f.Go != nil {
		count += len(f.Go.InitTask) + len(f.Go.Itabs) + len(f.Go.Types) + len(f.Go.Lists)
		for _, typ := range f.Go.Types {
			count += len(typ.Methods) + len(typ.Wants) + len(typ.Refers)
		}
		for _, itab := range f.Go.Itabs {
			count += len(itab.Funcs)
		}
	}
	if count > len(data) {
		t.Errorf("%d entries from %d bytes", count, len(data))
	}
}
