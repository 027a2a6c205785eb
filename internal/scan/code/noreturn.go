package code

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// A returning is how control can come back from a function. Code that only an unwinder enters
// counts as well, so that what catches an exception and returns is not taken for a function
// that never does.
type returning struct {
	always bool     // it has a return, or a jump to an unknown place
	tails  []uint64 // functions that it jumps to
	falls  bool     // it runs into the next function ...
	call   int      // ... after the call with this index in Calls, if not -1, returns
	last   uint64   // address of the last instruction with an op, or of the function
}

// end notes whether control runs over the end of the function at addr.
func (r *returning) end(ops []op, addr uint64) {
	if len(ops) == 0 {
		r.falls, r.last = true, addr
		return
	}
	o := &ops[len(ops)-1]
	r.falls, r.last = !o.ends(), o.at
}

// neverReturn are functions of libraries that do not return, by name. Those in the file itself
// are found by their code.
var neverReturn = []string{
	"_Exit", "_Unwind_Resume", "__assert", "__assert_fail", "__assert_perror_fail", "__chk_fail",
	"__cxa_bad_cast", "__cxa_bad_typeid", "__cxa_call_terminate", "__cxa_call_unexpected",
	"__cxa_deleted_virtual", "__cxa_pure_virtual", "__cxa_rethrow", "__cxa_throw",
	"__cxa_throw_bad_array_new_length", "__fortify_fail", "__libc_fatal", "__longjmp_chk",
	"__stack_chk_fail", "_exit", "_longjmp", "_ZSt10unexpectedv", "_ZSt9terminatev", "abort", "err", "errx", "exit",
	"longjmp", "pthread_exit", "quick_exit", "siglongjmp", "thrd_exit", "verr", "verrx",
}

// goNeverReturn are prefixes of functions of Go's runtime that do not return, though they end
// in a return that is never reached.
var goNeverReturn = []string{
	"runtime.panic", "runtime.goPanic", "runtime.gopanic", "runtime.throw", "runtime.fatal", "runtime.Goexit",
}

// slotNeverReturns tells whether the word at slot holds an imported function that does not return.
func (m *Module) slotNeverReturns(slot uint64) bool {
	r, ok := m.File.Reloc(slot)
	if !ok || r.Symbol < 0 || r.Symbol >= len(m.File.Symbols) {
		return false
	}
	name := m.File.Symbols[r.Symbol].Name
	return slices.Contains(neverReturn, name) || strings.HasPrefix(name, "_ZSt") && strings.Contains(name, "__throw_")
}

// namedNoReturn tells whether the name of a function in the file says that it does not return,
// even if its code has a return. A program may give its own functions names that are not reserved.
func (m *Module) namedNoReturn(f *object.Func) bool {
	switch {
	case m.File.Go != nil:
		return !strings.HasPrefix(f.Name, "runtime.panicCheck") &&
			slices.ContainsFunc(goNeverReturn, func(p string) bool { return strings.HasPrefix(f.Name, p) })
	case strings.HasPrefix(f.Name, "_"), f.Name == "abort", f.Name == "exit", f.Name == "longjmp":
		return slices.Contains(neverReturn, f.Name)
	}
	return false
}

// inferNoReturn finds the functions that cannot return: it spreads returning from those that
// surely may to those that depend on them.
func (r *reading) inferNoReturn() {
	m := r.m
	for _, s := range m.File.PLT {
		if i := m.File.Func(s.Addr); i >= 0 && m.File.Funcs[i].Addr == s.Addr {
			r.returns[i] = returning{always: !m.slotNeverReturns(s.Slot), call: -1}
		}
	}
	dependents := map[int][]int{}
	var work []int
	for i := range m.Funcs {
		m.Funcs[i].NoReturn = true
	}
	for i := range r.returns {
		ret := &r.returns[i]
		ret.call = m.lastCall(i, ret)
		switch {
		case m.namedNoReturn(&m.File.Funcs[i]):
			*ret = returning{call: -1}
		case ret.always:
			work = append(work, i)
		default:
			for _, on := range m.dependsOn(i, ret) {
				dependents[on] = append(dependents[on], i)
			}
			if m.mayReturn(i, ret) {
				work = append(work, i)
			}
		}
	}
	for len(work) > 0 {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		if !m.Funcs[i].NoReturn {
			continue
		}
		m.Funcs[i].NoReturn = false
		for _, d := range dependents[i] {
			if m.Funcs[d].NoReturn && m.mayReturn(d, &r.returns[d]) {
				work = append(work, d)
			}
		}
	}
}

// lastCall returns the index of the call that is the last op of function i, or -1.
func (m *Module) lastCall(i int, ret *returning) int {
	calls := m.Funcs[i].Calls
	if n := len(calls) - 1; ret.falls && n >= 0 && calls[n].At == ret.last && !calls[n].Tail {
		return n
	}
	return -1
}

// next returns the function that follows function i without space, or -1.
func (m *Module) next(i int) int {
	f := m.File.Funcs
	if i+1 < len(f) && f[i].Addr+f[i].Size == f[i+1].Addr {
		return i + 1
	}
	return -1
}

// dependsOn returns the functions whose return lets function i return.
func (m *Module) dependsOn(i int, ret *returning) []int {
	var on []int
	for _, t := range ret.tails {
		on = append(on, m.File.Func(t))
	}
	if ret.falls {
		if next := m.next(i); next >= 0 {
			on = append(on, next)
		}
		if ret.call >= 0 && m.Funcs[i].Calls[ret.call].To != 0 {
			on = append(on, m.File.Func(m.Funcs[i].Calls[ret.call].To))
		}
	}
	return on
}

// mayReturn tells whether function i can return, given what is known of others.
func (m *Module) mayReturn(i int, ret *returning) bool {
	for _, t := range ret.tails {
		if !m.Funcs[m.File.Func(t)].NoReturn {
			return true
		}
	}
	if !m.runsOn(i, ret) {
		return false
	}
	next := m.next(i)
	return next < 0 || !m.Funcs[next].NoReturn
}

// runsOn tells whether control runs over the end of function i.
func (m *Module) runsOn(i int, ret *returning) bool {
	return ret.falls && (ret.call < 0 || !m.neverReturns(&m.Funcs[i].Calls[ret.call]))
}

// neverReturns tells whether control does not come back from a call.
func (m *Module) neverReturns(c *Call) bool {
	if c.Slot != 0 {
		return m.slotNeverReturns(c.Slot)
	}
	i := m.File.Func(c.To)
	return i >= 0 && c.Middle == 0 && m.Funcs[i].NoReturn
}

// addFallThrough adds the calls of functions that run into the next one. Space between
// functions that holds nothing but padding does so and leads nowhere.
func (m *Module) addFallThrough(returns []returning) {
	for i := range returns {
		if next := m.next(i); next >= 0 && m.runsOn(i, &returns[i]) {
			m.Funcs[i].Calls = append(m.Funcs[i].Calls, Call{At: returns[i].last, To: m.File.Funcs[next].Addr, Tail: true})
		}
	}
}

// stops tells whether control does not go on behind an op: it ends there, or is a call that does
// not come back.
func (m *Module) stops(o *op) bool {
	switch o.kind {
	case opCallAt:
		return m.slotNeverReturns(o.imm)
	case opCall:
		to := m.File.Func(o.imm)
		return to >= 0 && m.File.Funcs[to].Addr == o.imm && m.Funcs[to].NoReturn
	}
	return o.ends()
}
