package cbpf

import (
	"slices"
	"testing"
)

func TestActionText(t *testing.T) {
	tests := []struct {
		action Action
		text   string
	}{
		{KillThread, "KILL_THREAD"},
		{KillProcess, "KILL_PROCESS"},
		{Trap, "TRAP"},
		{Trap | 5, "TRAP(5)"},
		{Errno(1), "ERRNO(1)"},
		{ErrnoClass, "ERRNO(0)"},
		{Errno(65535), "ERRNO(65535)"},
		{Trace(0), "TRACE(0)"},
		{Trace(1), "TRACE(1)"},
		{Log, "LOG"},
		{Notify, "NOTIFY"},
		{Allow, "ALLOW"},
		{Allow | 1, "ALLOW(1)"},
		{1, "KILL_THREAD(1)"},
		{0x00010000, "0x00010000"},
		{0x7fff8000, "ALLOW(32768)"},
		{0xffff0001, "0xffff0001"},
	}
	for _, tt := range tests {
		if got := tt.action.String(); got != tt.text {
			t.Errorf("%#x is %s, want %s", uint32(tt.action), got, tt.text)
		}
		if got, err := ParseAction(tt.text); got != tt.action || err != nil {
			t.Errorf("%s is %#x, %v, want %#x", tt.text, uint32(got), err, uint32(tt.action))
		}
	}
	for text, want := range map[string]Action{"0x50001": Errno(1), "0": KillThread, "ERRNO(0x26)": Errno(38), "2147418112": Allow} {
		if got, err := ParseAction(text); got != want || err != nil {
			t.Errorf("%s is %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "allow", "ERRNO", "TRACE", "ERRNO()", "ERRNO(1", "ERRNO(65536)", "ERRNO(-1)", "ALLOW(1))", "0x100000000", "SCMP_ACT_ALLOW", "-1"} {
		if got, err := ParseAction(text); err == nil || got != 0 {
			t.Errorf("%q is %v, %v, want an error", text, got, err)
		}
	}
}

// TestActionPrecedence pins the kernel's choice between the answers of several
// filters, kernel/seccomp.c: seccomp_run_filters.
func TestActionPrecedence(t *testing.T) {
	strictestFirst := []Action{
		KillProcess, 0xfffe0000, KillThread, 0x00010000, Trap, Errno(1), 0x7f000000, Notify, Trace(3), Log, Allow,
	}
	shuffled := slices.Clone(strictestFirst)
	slices.Reverse(shuffled)
	slices.SortFunc(shuffled, Action.Compare)
	if !slices.Equal(shuffled, strictestFirst) {
		t.Errorf("got %v, want %v", shuffled, strictestFirst)
	}
	if c := Errno(1).Compare(Errno(38)); c != 0 {
		t.Errorf("two ERRNOs compare as %d: the newest filter's must count", c)
	}
	for i := range classes {
		if i > 0 && classes[i-1].class.Compare(classes[i].class) >= 0 {
			t.Errorf("%v is listed before %v", classes[i-1].class, classes[i].class)
		}
	}
}

func TestActionEffective(t *testing.T) {
	for a, want := range map[Action]Action{
		Allow | 7: Allow, Log | 7: Log, Notify | 7: Notify, KillProcess | 7: KillProcess, KillThread | 7: KillThread,
		Trap | 7: Trap | 7, Trace(7): Trace(7), Errno(4095): Errno(4095), Errno(4096): Errno(4095),
		0x00010000: KillProcess, 0x7ffe0000: KillProcess, 0xffffffff: KillProcess,
	} {
		if got := a.Effective(); got != want {
			t.Errorf("%v is effectively %v, want %v", a, got, want)
		}
	}
}

func TestPermits(t *testing.T) {
	for i := range classes {
		a := classes[i].class | 5
		var got []Permission
		for _, p := range []Permission{Alone, WithTracer, WithSupervisor} {
			if a.Permits(p) {
				got = append(got, p)
			}
		}
		var want []Permission
		switch a.Class() {
		case Allow, Log:
			want = []Permission{Alone, WithTracer, WithSupervisor}
		case TraceClass:
			want = []Permission{WithTracer, WithSupervisor}
		case Notify:
			want = []Permission{WithSupervisor}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v permits %v, want %v", a, got, want)
		}
	}
	if a := Action(0x7ffe0000); a.Permits(WithSupervisor) { // killed, between LOG and ALLOW as a number
		t.Errorf("%v permits", a)
	}
}
