package smt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/need"
)

// patience is how long a solver may think about one pair: of processor time, as the
// machine may have other work. The clock on the wall only stops one that hangs.
const patience = 20 * time.Second

// A solver is a program that reads a question from its standard input.
type solver struct {
	name    string
	command []string
}

func solvers(t *testing.T) []solver {
	t.Helper()
	need.Program(t, "z3", "z3")
	need.Program(t, "cvc5", "cvc5")
	return []solver{
		{"z3", []string{"z3", "-smt2", "-in"}},
		{"cvc5", []string{"cvc5", "--lang=smt2", "--bitblast=eager", "--ite-simp"}},
	}
}

// A reply is what a solver said.
type reply struct {
	kind  string        // sat, unsat or timeout
	model model         // if sat
	spent time.Duration // of processor time
}

// A model is a call, and what the two sides make of it according to the solver.
type model struct {
	call cbpf.Data
	a, b cbpf.Action
}

// ask gives a question to a solver, with a limit on its processor time.
func (s *solver) ask(question []byte, patience time.Duration) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*patience)
	defer cancel()
	limited := fmt.Sprintf(`ulimit -t %d && exec "$@"`, patience/time.Second)
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", limited, "sh"}, s.command...)...)
	cmd.Stdin = bytes.NewReader(question)
	out, err := cmd.CombinedOutput() // the exit status only says whether there are values to get
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return reply{}, err
	}
	spent := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	switch killed := cmd.ProcessState.ExitCode() < 0; {
	case killed && (ctx.Err() != nil || spent > patience*3/4): // kernels do not count exactly
		return reply{kind: "timeout", spent: spent}, nil
	case killed:
		return reply{}, fmt.Errorf("%v after %v, at %q", err, spent, out)
	}
	r, err := readReply(string(out))
	r.spent = spent
	return r, err
}

// readReply reads the output of z3 or cvc5. After unsat, each also prints an error, because
// there is no model to show.
func readReply(out string) (reply, error) {
	answer, rest, _ := strings.Cut(out, "\n")
	switch strings.TrimSpace(answer) {
	case "unsat":
		return reply{kind: "unsat"}, nil
	case "sat":
		m, err := readModel(rest)
		return reply{kind: "sat", model: m}, err
	}
	return reply{}, fmt.Errorf("unexpected output %q", out)
}

// readModel reads values: hexadecimal ones, as z3 writes them, or binary ones.
func readModel(text string) (model, error) {
	values := map[string]uint64{}
	for _, m := range regexp.MustCompile(`\((\w+)\s+#([xb])(\w+)\)`).FindAllStringSubmatch(text, -1) {
		base := map[string]int{"x": 16, "b": 2}[m[2]]
		v, err := strconv.ParseUint(m[3], base, 64)
		if err != nil {
			return model{}, err
		}
		values[m[1]] = v
	}
	for _, name := range strings.Fields("arch nr ip a0 a1 a2 a3 a4 a5 A B") {
		if _, ok := values[name]; !ok {
			return model{}, fmt.Errorf("no value of %s in %q", name, text)
		}
	}
	m := model{
		call: cbpf.Data{Arch: uint32(values["arch"]), NR: uint32(values["nr"]), IP: values["ip"]},
		a:    cbpf.Action(values["A"]), b: cbpf.Action(values["B"]),
	}
	for i := range m.call.Args {
		m.call.Args[i] = values[fmt.Sprintf("a%d", i)]
	}
	return m, nil
}

// A solver that thinks for too long is stopped, and one that is asked nonsense complains.
func TestAsk(t *testing.T) {
	busy := solver{"busy", []string{"sh", "-c", "while :; do :; done"}}
	if r, err := busy.ask(nil, time.Second); r.kind != "timeout" || err != nil {
		t.Errorf("%+v, %v; want a time-out", r, err)
	}
	for _, s := range append(solvers(t), solver{"killed", []string{"sh", "-c", "echo unsat; kill -9 $$"}}) {
		if r, err := s.ask([]byte("(assert)\n(check-sat)\n"), patience); err == nil {
			t.Errorf("%s: no error, but %+v", s.name, r)
		}
	}
}

func TestReadReply(t *testing.T) {
	call := cbpf.Data{Arch: 0xc000003e, NR: 41, IP: 1 << 63, Args: [6]uint64{1, 2, 3, 4, 5, 6}}
	want := reply{kind: "sat", model: model{call, cbpf.Allow, cbpf.Errno(1)}}
	values := func(format string, widths ...any) string { // of 32 and of 64 bits
		w := fmt.Sprintf(format, widths...)
		w32, w64, _ := strings.Cut(w, " ")
		return fmt.Sprintf("sat\n((arch "+w32+") (nr "+w32+")\n (ip "+w64+") (a0 "+w64+") (a1 "+w64+") (a2 "+w64+")\n (a3 "+w64+") (a4 "+w64+") (a5 "+w64+") (A "+w32+") (B "+w32+"))\n",
			call.Arch, call.NR, call.IP, 1, 2, 3, 4, 5, 6, uint32(cbpf.Allow), uint32(cbpf.Errno(1)))
	}
	for _, tt := range []struct {
		name, out string
		want      reply
		fails     bool
	}{
		{"z3", values("#x%%08x #x%%016x"), want, false},
		{"cvc5", values("#b%%032b #b%%064b"), want, false},
		{"unsat", "unsat\n(error \"line 9 column 45: model is not available\")\n", reply{kind: "unsat"}, false},
		{"a value is missing", "sat\n((arch #x00000000))\n", reply{}, true},
		{"unknown", "unknown\n", reply{}, true},
		{"error", "(error \"line 1\")\nsat\n", reply{}, true},
		{"nothing", "", reply{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readReply(tt.out)
			if (err != nil) != tt.fails || !tt.fails && got != tt.want {
				t.Errorf("%+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}
