package scan

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
)

// example is a module with all kinds of things.
func example() *code.Module {
	return &code.Module{
		File: &object.File{Funcs: []object.Func{{Addr: 0x1000, Size: 16, Name: "f"}, {Addr: 0x1010, Size: 8, Gap: true}}},
		Funcs: []code.Function{
			{Calls: []code.Call{{At: 0x1002, To: 0x1010, Tail: true}, {At: 0x1004, Slot: 1 << 63, Middle: 7}}, Mentions: []uint64{1, 1 << 40},
				Direct: []uint64{5}, Written: []uint64{6}, Sites: []uint64{0x1008}, Legacy: []uint64{0x1008}, Indirect: []uint64{9, 10}},
			{NoReturn: true},
		},
	}
}

func TestEntriesOfTheCache(t *testing.T) {
	m := example()
	entry := encodeEntry(m)
	bounds, funcs, err := decodeEntry(entry)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Funcs, funcs); diff != "" {
		t.Error(diff)
	}
	m.File.Funcs[0].Name = "" // of the file itself
	if diff := cmp.Diff(m.File.Funcs, bounds); diff != "" {
		t.Error(diff)
	}
	for i := range entry {
		damaged := append([]byte(nil), entry...)
		damaged[i] ^= 0x10
		if _, _, err := decodeEntry(damaged); err == nil {
			t.Errorf("byte %d changed, and nobody noticed", i)
		}
		if _, _, err := decodeEntry(entry[:i]); err == nil {
			t.Errorf("cut off after %d bytes, and nobody noticed", i)
		}
	}
}

// Whoever writes to the cache can forge entries, but these must not make a scan fail.
func FuzzDecodeEntry(f *testing.F) {
	entry := encodeEntry(example())
	f.Add(entry[:len(entry)-32])
	f.Fuzz(func(t *testing.T, payload []byte) {
		d := decoder{data: payload}
		bounds, funcs := d.functions()
		if len(bounds) != len(funcs) || len(funcs) > len(payload) {
			t.Errorf("%d and %d functions of %d bytes", len(bounds), len(funcs), len(payload))
		}
	})
}

func TestDamagedEntriesAreReplaced(t *testing.T) {
	dir := t.TempDir()
	c := newCache(dir)
	if c == nil {
		t.Skip("the test program has no identity")
	}
	m, content := example(), []byte("content")
	if c.load(m.File, content) != nil {
		t.Fatal("an entry that nobody wrote")
	}
	c.store(content, m)
	again := c.load(&object.File{Funcs: []object.Func{{Addr: 0x1000, Size: 24, Name: "f"}}}, content)
	if again == nil || cmp.Diff(m.Funcs, again.Funcs) != "" || again.File.Funcs[0].Name != "f" || len(again.File.Funcs) != 2 {
		t.Fatalf("loaded %+v", again)
	}
	if err := os.WriteFile(c.path(content), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c.load(m.File, content) != nil {
		t.Error("a damaged entry counts")
	}
	c.store(content, m)
	if c.load(m.File, content) == nil {
		t.Error("a damaged entry stays")
	}
	if left, _ := filepath.Glob(filepath.Join(c.dir, ".part*")); left != nil {
		t.Errorf("left over: %q", left)
	}
}

func TestACacheThatCannotBeWrittenChangesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCache(file)
	if c == nil {
		t.Skip("the test program has no identity")
	}
	c.store(nil, example())
	if c.load(&object.File{}, nil) != nil {
		t.Error("an entry out of nothing")
	}
	if c.failure() == nil {
		t.Error("nobody is told")
	}
}
