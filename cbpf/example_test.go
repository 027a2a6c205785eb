package cbpf_test

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/cbpf"
)

const text = `
.order little
        ld   arch
        jeq  #0xc000003e  jf kill
        ld   nr
        jeq  #56  jt clone
allow:  ret  ALLOW
clone:  ld   arg0.lo
        jset #0x7e020000  jf allow2
        ret  ERRNO(1)
allow2: ret  ALLOW
kill:   ret  KILL_THREAD
`

func ExampleAssemble() {
	p, err := cbpf.Assemble([]byte(text), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	newUser := &cbpf.Data{Arch: 0xc000003e, NR: 56, Args: [6]uint64{0x10000000}}
	fmt.Println(p.Len(), "instructions,", p.Eval(newUser))
	// Output:
	// 10 instructions, ERRNO(1)
}

func ExampleProgram_Disassemble() {
	p, err := cbpf.New([]bpf.RawInstruction{
		{Op: 0x20, K: 4},
		{Op: 0x15, Jt: 0, Jf: 1, K: 0x80000016},
		{Op: 0x06, K: uint32(cbpf.Allow)},
		{Op: 0x06, K: uint32(cbpf.KillProcess)},
	}, binary.BigEndian)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(p.Disassemble(nil)) // policy.Names() instead of nil gives names
	// Output:
	// .order big
	//  0:  ld    arch
	//  1:  jeq   #0x80000016  jt 2    jf 3  ; arch
	//  2:  ret   ALLOW                      ; 0x80000016
	//  3:  ret   KILL_PROCESS               ; other ABIs
}

func ExampleProgram_Trace() {
	p, err := cbpf.Assemble([]byte(text), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	lines := p.Lines(nil)
	verdict, steps := p.Trace(&cbpf.Data{Arch: 0xc000003e, NR: 1})
	for _, s := range steps {
		fmt.Printf("%-36s A = %#x\n", lines[s.PC].Text, s.A)
	}
	fmt.Println(verdict)
	// Output:
	// ld    arch                           A = 0xc000003e
	// jeq   #0xc000003e  jt 2    jf 9      A = 0xc000003e
	// ld    nr                             A = 0x1
	// jeq   #56          jt 5    jf 4      A = 0x1
	// ret   ALLOW                          A = 0x1
	// ALLOW
}

// Whether a call happens can be up to a tracer or a supervisor.
func ExampleAction_Permits() {
	for _, a := range []cbpf.Action{cbpf.Allow, cbpf.Log, cbpf.Trace(0), cbpf.Notify, cbpf.Errno(1)} {
		fmt.Println(a, a.Permits(cbpf.Alone), a.Permits(cbpf.WithTracer), a.Permits(cbpf.WithSupervisor))
	}
	// Output:
	// ALLOW true true true
	// LOG true true true
	// TRACE(0) false true true
	// NOTIFY false false true
	// ERRNO(1) false false false
}
