// Package object reads one ELF executable or library as far as static analysis needs it:
// its memory as loaded, the bounds of its functions, what it exports, imports and relocates,
// and for a Go program the types and tables from which calls through interfaces follow.
//
// All addresses are those of the file, as linked; a position-independent file starts near 0.
// Slices are sorted by address. What a hostile file says is checked against its size: Read
// fails, or leaves out what is wrong and notes it, but neither panics nor takes memory that
// the file itself does not account for.
package object

// A Machine is the instruction set of a file. The zero value is no machine.
type Machine uint8

// The machines whose files can be read.
const (
	AMD64 Machine = iota + 1
	ARM64
)

// A File is a parsed ELF file.
type File struct {
	Path    string
	BuildID string // hexadecimal, or of the SHA-256 of the file where it has none ("sha256:...")
	Machine Machine
	Fixed   bool   // ET_EXEC: linked to a fixed address, so that numbers in code can be addresses
	Interp  string // PT_INTERP; "" for static files and libraries
	SOName  string
	Needed  []string // DT_NEEDED, in the order of the file
	Audit   []string // DT_AUDIT and DT_DEPAUDIT: libraries through which ld.so reports what it does, if this is the program
	Filter  bool     // whether symbols of the file are looked up in some that it needs first (DT_FILTER, DT_AUXILIARY)
	RPath   []string // DT_RPATH and DT_RUNPATH, unexpanded ($ORIGIN)
	RunPath []string
	Entry   uint64 // 0 for a library

	Segments []Segment
	Threads  Range    // PT_TLS: what each thread gets a copy of, and reaches without its address
	Bounds   []uint64 // where sections and PT_DYNAMIC begin and end: no object in data spans one
	Funcs    []Func   // do not overlap; cover all code but padding
	Relocs   []Reloc
	Symbols  []Symbol // dynamic symbols, and those of .symtab if the file has it
	PLT      []Stub
	Init     []uint64 // functions that run at start: DT_INIT, DT_INIT_ARRAY, DT_PREINIT_ARRAY
	Fini     []uint64
	Go       *Go      // nil unless the file is a Go program
	Notes    []string // what was left out because the file contradicts itself
}

// A Segment is a part of memory as the kernel or ld.so loads it, before relocation.
type Segment struct {
	Addr       uint64
	Data       []byte // what the file has; the rest up to Size is zero
	Size       uint64
	Executable bool
	Writable   bool // and not made read-only after relocation (PT_GNU_RELRO)
	Sealed     bool // made read-only after relocation: what starts the program can write to it
}

// A Func is a piece of code with one entry: from a symbol, .eh_frame, the pclntab, a PLT
// entry, or the space between two of these.
type Func struct {
	Addr, Size uint64
	Name       string // "" if the file does not tell
	Gap        bool   // between known functions: a table, or functions nobody names; its size may cover several
}

// A Reloc says what ld.so stores at Addr: the address of a symbol (Symbol is an index into
// File.Symbols, plus Addend), a place in this file (Symbol < 0: Addend), or what the function
// at Addend returns (Resolver).
type Reloc struct {
	Addr     uint64
	Symbol   int
	Addend   uint64
	Resolver bool // IRELATIVE
	Copy     bool // COPY: the data of a library's symbol is copied here
	GOT      bool // GLOB_DAT or JUMP_SLOT: a word of the global offset table, which is no part of an object
}

// A Symbol is a name that a file defines or needs.
type Symbol struct {
	Name     string
	Version  string // "" if unversioned
	Addr     uint64
	Size     uint64
	Func     bool // STT_FUNC, or STT_GNU_IFUNC
	Resolver bool // STT_GNU_IFUNC: Addr is the function that chooses
	Defined  bool
	Dynamic  bool // in .dynsym, so that other files see it
	Weak     bool
	Hidden   bool // not the default version: only who asks for Version gets it

	object bool // STT_OBJECT: also in code, it is data
}

// A Stub is an entry of the PLT: it jumps to what the word at Slot holds.
type Stub struct{ Addr, Size, Slot uint64 }

// Go is what a Go program says of itself in its pclntab and moduledata.
type Go struct {
	Version  string
	InitTask []uint64 // functions that initialise packages (inittasks); all functions, if Types is empty
	Itabs    []Itab   // tables built by the linker
	Types    []Type   // empty if the tables are of an unknown form, which Notes tell
	Lists    []Range  // moduledata, the pclntab, lists of text sections, types, itabs and initialisers: they list everything, and refer to nothing
}

// A Range is the addresses from Start to before End.
type Range struct{ Start, End uint64 }

// An Itab is the method table of a concrete type for one interface.
type Itab struct {
	Addr      uint64 // of the table itself: whoever mentions it may call its functions
	Type      uint64
	Interface uint64
	Funcs     []uint64
}

// A Type is a run-time type. Its methods can run once a value of it is put into an
// interface that has a method of that name and type, or once reflect can ask for it by name.
type Type struct {
	Addr    uint64
	Name    string
	Methods []Method // of the method table of a concrete type
	Wants   []Method // of an interface: what it can call (Func is 0)
	Refers  []uint64 // types that reflect gets from this one: element, fields, key, ..., and that of pointers to it
}

// A Method is a method of a type: a value calls it by name and type.
type Method struct {
	Name     string
	Type     uint64 // address of the type of the function without receiver
	Func     uint64 // what an interface calls
	Exported bool
}
