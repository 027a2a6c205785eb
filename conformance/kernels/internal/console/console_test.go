package console

import "testing"

func TestParse(t *testing.T) {
	tests := []struct {
		in   string
		want Line
		ok   bool
	}{
		{Line{Fail, "verdicts/arm", "nr 3:\n\"x\""}.String(), Line{Fail, "verdicts/arm", "nr 3:\n\"x\""}, true},
		{Line{End, "57", "0"}.String() + "\r\r", Line{End, "57", "0"}, true},
		{"[    1.0] tty: " + Line{Pass, "probe", ""}.String(), Line{Pass, "probe", ""}, true},
		{`%% pass "probe`, Line{}, false},
		{`%% pass "probe" "" x`, Line{}, false},
		{`%% praise "probe" ""`, Line{}, false},
		{"[    0.0] Linux version 6.1", Line{}, false},
		{"", Line{}, false},
	}
	for _, tt := range tests {
		if got, ok := Parse(tt.in); got != tt.want || ok != tt.ok {
			t.Errorf("Parse(%q) = %+v, %v; want %+v, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}
