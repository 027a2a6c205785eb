package cbpf

import (
	"fmt"
	"slices"
	"testing"
)

func TestOriginsAreShown(t *testing.T) {
	p := must(t, ".order little\nld arch\njeq x86_64 jf 1\nret ALLOW\n1: ret ERRNO(1)")
	p = p.WithOrigins([]string{"", "/architectures", "/syscalls/3", "/defaultAction\nret ALLOW"})
	var comments []string
	for i, l := range p.Lines(vocabulary{}) {
		if l.PC != i {
			t.Errorf("line %d has pc %d", i, l.PC)
		}
		comments = append(comments, l.Comment)
	}
	want := []string{"", "x86_64, x32  /architectures", "x86_64, x32  /syscalls/3", "EPERM: other ABIs  /defaultAction\ufffdret ALLOW"}
	if !slices.Equal(comments, want) {
		t.Errorf("got %q, want %q", comments, want)
	}
	roundTrip(t, p, vocabulary{}, nil)
}

// TestComments pins the wording of single lines: the last but one of each program.
func TestComments(t *testing.T) {
	const start = ".order little\nld arch\njeq x86_64 jt yes\nret KILL_THREAD\nyes: ld nr\n"
	tests := []struct{ name, text, want string }{
		{"a call", start + "jeq x86_64:read", "read"},
		{"a number without a name", start + "jeq #999", "nr"},
		{"a tracer's skip", start + "jeq #-1", "nr -1"},
		{"from a call on", start + "jge x86_64:write", ">= write"},
		{"from the number after a call on", start + "jge #335", "> rseq"},
		{"above a call", start + "jgt x86_64:write", "> write"},
		{"above the number before a call", start + "jgt #134", ">= personality"},
		{"above no call", start + "jgt #999", "nr"},
		{"x32's bit", start + "jset #0x40000000", "x32 numbers"},
		{"x32's first number", start + "jge #0x40000000", "x32 numbers"},
		{"another bit", start + "jset #1", "nr"},
		{"the calls of a set of bits", start + "jge #5 jt end\njset #3", "not read, stat"},
		{"the calls of a masked number", start + "jge #5 jt end\nand #3\njeq #0", "read, stat"},
		{"a test that does not divide", start + "jge #1 jt end\njeq #7", "nr"},
		{"a masked argument", start + "jeq #41 jf end\nld arg1.lo\nand #0xf\njeq #1", "socket type & 0xf"},
		{"an argument of many calls", start + "ld arg0.lo\nand #1\njeq #1", "arg0.lo & 0x1"},
		{"a comparison with x", start + "ldx #41\njeq x", "socket"},
		{"a comparison with an unknown x", start + "jeq #16 jf end\ntax\nld arg0.hi\ntax\njeq x", "ioctl fd.hi"},
		{"a number from memory", start + "st M[0]\nld arg0.lo\nld M[0]\njeq #16", "ioctl"},
		{"arithmetic on the number", start + "add #1\njeq #16", ""},
		{"an unnamed ABI", ".order little\nld arch\njeq #0x1234", "arch"},
		{"nothing loaded", ".order little\njeq #0", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := must(t, tt.text+"\nend: ret ALLOW")
			lines := p.Lines(vocabulary{})
			if got := lines[len(lines)-2]; got.Comment != tt.want {
				t.Errorf("%s: got %q, want %q", got.Text, got.Comment, tt.want)
			}
		})
	}
}

// wordy is a vocabulary that has words for tests of all arguments but those of read.
type wordy struct{ vocabulary }

var _ tester = wordy{}

func (w wordy) Test(audit, nr uint32, index int, op string, mask, v uint32) string {
	arg := w.Arg(audit, nr, index)
	if arg == "" {
		return ""
	}
	return fmt.Sprintf("%s&%x %s word %x", arg, mask, op, v)
}

// TestArgumentCommentsInWords pins the wording of single lines: the last but one of
// each program.
func TestArgumentCommentsInWords(t *testing.T) {
	const start = ".order little\nld arch\njeq x86_64 jt yes\nret KILL_THREAD\nyes: ld nr\n"
	const clones = ".order little\nld arch\njeq x86 jf wide\nld nr\njeq #120 jt ok jf end\nwide: jeq x86_64 jf end\nld nr\njeq #56 jf end\nok: ld arg0.lo\n"
	tests := []struct{ name, text, want string }{
		{"behind its load", start + "jeq #41 jf end\nld arg0.lo\njeq #40", "family&ffffffff == word 28"},
		{"of order", start + "jeq #41 jf end\nld arg0.lo\njge #40", "family&ffffffff >= word 28"},
		{"of order, strict", start + "jeq #41 jf end\nld arg0.lo\njgt #40", "family&ffffffff > word 28"},
		{"of bits", start + "jeq #56 jf end\nld arg0.lo\njset #0x6", "flags&6 != word 0"},
		{"of masked bits", start + "jeq #56 jf end\nld arg0.lo\nand #0xc\njset #0x6", "clone flags&4 != word 0"},
		{"behind a mask", start + "jeq #41 jf end\nld arg1.lo\nand #0xf\njeq #1", "socket type&f == word 1"},
		{"later", start + "jeq #41 jf end\nld arg0.lo\njeq #40 jt end\njeq #39", "socket family&ffffffff == word 27"},
		{"of the upper half", start + "jeq #41 jf end\nld arg0.hi\njeq #0", ""},
		{"of the upper half, later", start + "jeq #41 jf end\nld arg0.hi\njeq #0 jt end\njeq #1", "socket family.hi"},
		{"with x", start + "jeq #41 jf end\nldx #3\nld arg0.lo\njeq x", "family&ffffffff == word 3"},
		{"with an unknown x", start + "jeq #41 jf end\nld arg0.lo\ntax\nld arg1.lo\njeq x", ""},
		{"without words", start + "jeq #0 jf end\nld arg0.lo\njeq #40", ""},
		{"of calls that agree", clones + "jset #6", "flags&6 != word 0"},
		{"of calls that differ", start + "jge #56 jt end\njge #41 jf end\nld arg0.lo\njeq #6", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := must(t, tt.text+"\nend: ret ALLOW")
			lines := p.Lines(wordy{})
			if got := lines[len(lines)-2]; got.Comment != tt.want {
				t.Errorf("%s: got %q, want %q", got.Text, got.Comment, tt.want)
			}
			roundTrip(t, p, wordy{}, nil)
		})
	}
}

// TestVerdictComments pins the wording of returns to the numbers up to most.
func TestVerdictComments(t *testing.T) {
	tests := []struct{ most, action, want string }{
		{"1", "ALLOW", "read, write"},
		{"1", "ERRNO(0)", "skips the call, which returns 0: read, write"},
		{"1", "ERRNO(38)", "ENOSYS: read, write"},
		{"1", "ERRNO(77)", "read, write"},
		{"1", "ERRNO(4096)", "the kernel caps it at 4095: read, write"},
		{"1", "#0x12340000", "unknown action, kills the process: read, write"},
		{"1", "a", ""},
		{"3", "ALLOW", "read, write, open, close"},
		{"6", "ALLOW", "read, write, open and 4 more"},
		{"12", "ALLOW", "x86_64"},
		{"-1", "ALLOW", "x86_64, x32"},
	}
	for _, tt := range tests {
		p := must(t, ".order little\nld arch\njeq x86_64 jf end\nld nr\njgt #"+tt.most+" jt end\nret "+tt.action+"\nend: ret LOG")
		if got := p.Lines(vocabulary{})[4]; got.Comment != tt.want {
			t.Errorf("%s to %s: got %q, want %q", got.Text, tt.most, got.Comment, tt.want)
		}
	}
}

// TestDisassemblyOfHostilePrograms: the comments' work is bounded, the text stays
// complete.
func TestDisassemblyOfHostilePrograms(t *testing.T) {
	for _, p := range hostile(t) {
		roundTrip(t, p, vocabulary{}, nil)
		f := newFlow(p)
		if len(f.audits) != maxAudits {
			t.Errorf("%d AUDIT_ARCH values are told apart", len(f.audits))
		}
		for pc, states := range f.states {
			if len(states) > maxStates {
				t.Fatalf("%d states at %d", len(states), pc)
			}
			for _, s := range states {
				for _, set := range s.calls {
					if len(set) > maxSpans {
						t.Fatalf("%d spans at %d", len(set), pc)
					}
				}
			}
		}
	}
}
