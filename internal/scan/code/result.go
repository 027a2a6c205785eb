package code

import (
	"cmp"
	"maps"
	"slices"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// result reads off the values at system calls and calls.
func (f *flow) result() Flow {
	fn := &f.m.Funcs[f.fn]
	r := Flow{Sites: make([]SiteValues, len(fn.Sites)), Calls: make([]CallValues, len(fn.Calls)+len(fn.Indirect))}
	for i, at := range fn.Sites {
		r.Sites[i].At = at
	}
	none := func(Place) Value { return Value{} }
	for i := range fn.Calls {
		r.Calls[i] = CallValues{At: fn.Calls[i].At, Entry: none}
	}
	for i, at := range fn.Indirect {
		r.Calls[len(fn.Calls)+i] = CallValues{At: at, Entry: none}
	}
	if f.left <= 0 {
		r.Given, r.Sent = fn.Direct, fn.Direct
		return allUnknown(r)
	}
	f.startGiving()
	if len(f.ops) == 0 && len(r.Calls) > 0 { // runs into the next function
		r.Calls[0].Entry = f.entryAt(f.entryState(), true)
	}
	for i := range f.blocks {
		if f.blocks[i].in != nil {
			f.resultOf(&f.blocks[i], &r)
		}
	}
	r.Given, r.Sent = f.given(), slices.Sorted(maps.Keys(f.giving.sent))
	return r
}

// allUnknown is the result for a function that is too much work.
func allUnknown(r Flow) Flow {
	any := Value{Unknown: true}
	for i := range r.Sites {
		r.Sites[i].Number, r.Sites[i].Args = any, [6]Value{any, any, any, any, any, any}
	}
	for i := range r.Calls {
		r.Calls[i].Target, r.Calls[i].Slots = any, nil
		r.Calls[i].Entry = func(Place) Value { return any }
	}
	return r
}

// resultOf reads off the values in one block.
func (f *flow) resultOf(b *block, r *Flow) {
	fn := &f.m.Funcs[f.fn]
	s := b.in.clone()
	for k := b.from; k < b.to; k++ {
		o := &f.ops[k]
		switch o.kind {
		case opSite, opLegacy:
			if i, ok := slices.BinarySearch(fn.Sites, o.at); ok {
				r.Sites[i] = f.siteValues(s, o)
			}
		case opCall, opCallAt, opJump, opJumpAt, opBranch, opCallTo, opJumpTo:
			f.callValues(s, o, r)
		}
		f.gives(s, o)
		f.sends(s, o)
		f.step(s, o)
	}
	// A function that runs into the next one has that as the last of its calls.
	last, n := &f.ops[b.to-1], len(fn.Calls)-1
	if b.to == len(f.ops) && !f.m.stops(last) {
		f.giveAll(s, noReg)
	}
	if b.to == len(f.ops) && n >= 0 && fn.Calls[n].Tail && fn.Calls[n].At == last.at && !last.ends() {
		r.Calls[n].Entry = f.entryAt(s, true)
	}
}

// callValues reads off what a call or jump passes on.
func (f *flow) callValues(s *state, o *op, r *Flow) {
	fn := &f.m.Funcs[f.fn]
	compare := func(c Call, at uint64) int { return cmp.Compare(c.At, at) }
	i, ok := slices.BinarySearchFunc(fn.Calls, o.at, compare)
	if ok {
		r.Calls[i].Entry = f.entryAt(s, fn.Calls[i].Tail)
	}
	if o.kind != opCallTo && o.kind != opJumpTo {
		return
	}
	if !ok {
		if i, ok = slices.BinarySearch(fn.Indirect, o.at); !ok {
			return
		}
		i += len(fn.Calls)
		r.Calls[i].Entry = f.entryAt(s, o.kind == opJumpTo)
	}
	v := f.get(s, o.a)
	r.Calls[i].Target = f.target(v)
	if v.holds() {
		r.Calls[i].Slots = v.slots
		if v.slots[0] == anySlot {
			f.give(v) // who calls what is not known
		}
	}
}

// target returns the value of an indirect call. In a file that is not moved, numbers can be
// addresses.
func (f *flow) target(v *value) Value {
	t := v.public()
	if f.m.File.Fixed {
		for _, c := range t.Consts {
			if f.m.File.Func(c) >= 0 {
				t.Addrs, _ = union(t.Addrs, []uint64{c}, false)
			}
		}
	}
	return t
}

// entryAt returns what a callee finds. After a call, words of the caller begin at the stack
// pointer; after a jump, where they began for this function.
func (f *flow) entryAt(s *state, jump bool) func(Place) Value {
	c := s.clone()
	return func(p Place) Value {
		if p < Stack(0) {
			if int(p) == int(f.sp) {
				return Value{Unknown: true}
			}
			return c.regs[p].public()
		}
		sp := c.regs[f.sp]
		if !sp.isStack() {
			return Value{Unknown: true}
		}
		at := sp.offset + 8*int64(p-Stack(0))
		if jump {
			at += f.base
		}
		return c.read(at, 8, f.base).public()
	}
}

// Registers of the number and the arguments of a system call.
var (
	amd64Args  = [6]reg{rdi, rsi, rdx, 10, 8, 9}
	legacyArgs = [6]reg{rbx, rcx, rdx, rsi, rdi, rbp}
	arm64Args  = [6]reg{0, 1, 2, 3, 4, 5}
)

func (f *flow) siteValues(s *state, o *op) SiteValues {
	number, args := rax, amd64Args
	switch {
	case f.m.File.Machine == object.ARM64:
		number, args = 8, arm64Args
	case o.kind == opLegacy:
		args = legacyArgs
	}
	v := SiteValues{At: o.at, Number: s.regs[number].low(4).public()}
	for i, r := range args {
		v.Args[i] = s.regs[r].public()
	}
	return v
}
