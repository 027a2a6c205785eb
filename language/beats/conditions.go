package beats

import (
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// A test is a condition on an argument, all 64 bits of it.
type test struct {
	index uint
	operation
	value uint64
}

// conditional reads a call with conditions, which must all hold.
func (r *reader) conditional(v document.Value) (e entry, ok bool) {
	m, ok := r.Object(v, "name", "arguments")
	if !ok {
		return e, false
	}
	at, ok := m.Need("name", "name the system call")
	if ok {
		e, ok = r.call(at)
	}
	const cure = "write a list of conditions, each with a dash, or put the call into names"
	conditions, given := m.Need("arguments", cure)
	if !given || !r.Expect(conditions, document.Array, cure) {
		return e, false
	}
	var list []test
	for _, elem := range r.Elements(conditions) {
		list = append(list, r.condition(elem))
	}
	if list == nil {
		r.Fail(conditions, "there is no condition ("+cure+")")
	}
	e.lists = [][]test{list}
	return e, ok
}

// An operation is an operator: its word, and what it stands for.
type operation struct {
	name string
	op   policy.Op
}

// operations are all there are. Those on bits compare them with zero.
func operations() []operation {
	return []operation{
		{"Equal", policy.Equal}, {"NotEqual", policy.NotEqual},
		{"GreaterThan", policy.Greater}, {"GreaterOrEqual", policy.GreaterEqual},
		{"LessThan", policy.Less}, {"LessOrEqual", policy.LessEqual},
		{"BitsSet", policy.MaskedNotEqual}, {"BitsNotSet", policy.MaskedEqual},
	}
}

func (r *reader) condition(v document.Value) (t test) {
	m, ok := r.Object(v, "argument", "operation", "value")
	if !ok {
		return t
	}
	if n := m.Get("argument"); n.Exists() {
		index := r.number(n, 1<<32-1)
		if index > 5 {
			r.Fail(n, strconv.FormatUint(index, 10)+": a call has arguments 0 to 5 (use one of these)")
		}
		t.index = uint(index)
	} else {
		r.Warn(v, policy.Ignored, "there is no argument, so the condition is on argument 0 (write argument: 0 if that is right)")
	}
	if n := m.Get("value"); n.Exists() {
		if t.value = r.number(n, 1<<64-1); t.value>>32 != 0 && r.abi.Bits() == 32 {
			r.Warn(n, policy.Truncated, "arguments of "+r.abi.String()+" have 32 bits, so the upper half is compared with 0")
		}
	} else {
		r.Warn(v, policy.Ignored, "there is no value, so the argument is compared with 0 (write value: 0 if that is right)")
	}
	if op, ok := m.Need("operation", "write an operation: "+words()); ok {
		t.operation, _ = r.operation(op)
	}
	return t
}

// operation reads an operator, in any letter case.
func (r *reader) operation(v document.Value) (o operation, ok bool) {
	word, ok := r.Text(v, "write an operation: "+words())
	if !ok {
		return o, false
	}
	for _, o := range operations() {
		if strings.EqualFold(o.name, word) {
			return o, true
		}
	}
	r.Unknown(v, "operation", word, strings.Split(words(), ", "))
	return o, false
}

func words() string {
	var names []string
	for _, o := range operations() {
		names = append(names, o.name)
	}
	return strings.Join(names, ", ")
}

// number reads an unsigned integer, which may be in quotes and then in hexadecimal as well.
func (r *reader) number(v document.Value, most uint64) uint64 {
	if v.Kind() == document.String {
		if n, err := strconv.ParseUint(v.Text(), 0, 64); err == nil && n <= most {
			return n
		}
	}
	n, _ := r.Number(v, most)
	return n
}

// action reads an action, in any letter case. ERRNO carries EPERM, and TRACE nothing.
func (r *reader) action(v document.Value) cbpf.Action {
	known := []string{"kill_thread", "kill_process", "trap", "errno", "trace", "log", "allow"}
	word, ok := r.Text(v, "write an action: "+strings.Join(known, ", "))
	if !ok {
		return cbpf.KillThread
	}
	switch strings.ToLower(word) {
	case "kill_thread":
		return cbpf.KillThread
	case "kill_process":
		return cbpf.KillProcess
	case "trap":
		return cbpf.Trap
	case "errno":
		return cbpf.Errno(1) // EPERM on every ABI
	case "trace":
		return cbpf.Trace(0)
	case "log":
		return cbpf.Log
	case "allow":
		return cbpf.Allow
	}
	if strings.EqualFold(word, "user_notify") {
		r.Fail(v, unknown.Quote(word)+": go-seccomp-bpf reads no such action (use one of "+strings.Join(known, ", ")+")")
		return cbpf.KillThread
	}
	r.Unknown(v, "action", word, known)
	return cbpf.KillThread
}

// parts splits an action into its class and its data.
func parts(a cbpf.Action) (cbpf.Action, *uint) {
	if a.Class() == cbpf.ErrnoClass || a.Class() == cbpf.TraceClass {
		n := uint(a.Data())
		return a.Class(), &n
	}
	return a, nil
}
