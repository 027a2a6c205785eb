package main

import (
	"strings"
	"testing"
	"time"
)

func TestProgressSaysWhatItDoesNotCount(t *testing.T) {
	for _, tt := range []struct {
		based                   bool
		calls, kinds, processes int64
		want                    string
	}{
		{false, 0, 0, 0, "no calls in "},
		{true, 0, 0, 0, "no calls but those that the profile allows in "},
		{true, 1, 1, 1, "1 call of 1 kind by 1 process in "},
		{false, 74, 31, 3, "74 calls of 31 kinds by 3 processes in "},
	} {
		p := &progress{based: tt.based, since: time.Now()}
		p.calls.Store(tt.calls)
		p.kinds.Store(tt.kinds)
		p.processes.Store(tt.processes)
		if got := p.String(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
