package main

import (
	"slices"
	"strings"
	"testing"
)

func TestTheManualBoundsAllABIsAndDatesX86(t *testing.T) {
	manual := `.TS
l2 le l
\fBSystem call\fP	\fBKernel\fP	\fBNotes\fP
\fBread\fP(2)	1.0
\fBsocket\fP(2)	2.0	T{
See notes on \fBsocketcall\fP(2)
T}
\fBgetxattr\fP(2)	2.6; 2.4.18
\fBseccomp\fP(2)	3.17
\fBmembarrier\fP(2)	3.17
\fBodd\fP(2)	
\fBnotours\fP(2)	2.2
.\" \fBcommented\fP(2)	2.2
`
	f := tsv(t, "7.2",
		"commented - x86=9@<=4.10",
		"getxattr - x86_64=191@<=4.10 x86=229@<=4.10 arm=231@<=4.10",
		"membarrier - x86=375@<=4.10",
		"odd - x86=8@<=4.10",
		"read - x86_64=0@<=4.10 x86=3@<=4.10 arm=3@<=4.10",
		"seccomp - x86_64=317@<=4.10 x86=354@<=4.10 arm=383@<=4.10 loongarch64=277@5.19 sh=372@<=3.2",
		"socket - x86_64=41@<=4.10 x86=359@<=4.10",
	)
	trouble := f.mergeManual([]byte(manual))
	want := []string{
		"commented - x86=9@<=4.10",
		"getxattr - x86_64=191@2.2..4.10 x86=229@2.4 arm=231@2.2..4.10",
		"membarrier - x86=375@4.3",
		"odd - x86=8@<=4.10",
		"read - x86_64=0@<=4.10 x86=3@<=1.0 arm=3@<=4.10",
		"seccomp - x86_64=317@3.17 x86=354@3.17 arm=383@3.16..4.10 loongarch64=277@5.19 sh=372@<=3.2",
		"socket - x86_64=41@1.2..4.10 x86=359@1.2..4.10",
	}
	if got := rows(f); !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(trouble) != 1 || trouble[0].Error() != "sh: syscalls(2) has seccomp since 3.17, but it is in 3.2" {
		t.Errorf("trouble: %v", trouble)
	}
}

// everywhere gives a call the same cell in all columns but those named.
func everywhere(cell string, except ...string) string {
	row := "shiny -"
	for _, c := range columns {
		value := cell
		for _, e := range except {
			if name, other, _ := strings.Cut(e, "="); name == c.name {
				value = other
			}
		}
		if value != "" {
			row += " " + c.name + "=" + value
		}
	}
	return row
}

func TestDeduceKeepsToWhatTheTablesConfirm(t *testing.T) {
	for _, c := range []struct{ what, row, want string }{
		{"one exact release is everyone's",
			everywhere("451@6.1..6.12", "arm=451@6.5"), everywhere("451@6.5")},
		{"an older call comes with a young ABI",
			everywhere("435@<=5.10", "loongarch64=435@5.19", "x86=435@5.3"), everywhere("435@5.3", "loongarch64=435@5.19")},
		{"two releases", everywhere("451@6.1..6.12", "arm=451@6.5", "mips=451@6.6"), everywhere("451@6.1..6.12", "arm=451@6.5", "mips=451@6.6")},
		{"an ABI later", everywhere("451@6.1..6.12", "arm=451@6.5", "mips=451@6.7..6.12"), everywhere("451@6.1..6.12", "arm=451@6.5", "mips=451@6.7..6.12")},
		{"an ABI earlier", everywhere("451@6.1..6.12", "arm=451@6.5", "mips=451@<=6.1"), everywhere("451@6.1..6.12", "arm=451@6.5", "mips=451@<=6.1")},
		{"an ABI without", everywhere("451@6.1..6.12", "arm=451@6.5", "sh="), everywhere("451@6.1..6.12", "arm=451@6.5", "sh=")},
		{"another number", everywhere("451@6.1..6.12", "arm=451@6.5", "sh=452@6.1..6.12"), everywhere("451@6.1..6.12", "arm=451@6.5", "sh=452@6.1..6.12")},
		{"no exact release", everywhere("451@6.1..6.12"), everywhere("451@6.1..6.12")},
		{"numbers that are not common", everywhere("402@<=5.10", "arm=402@5.1"), everywhere("402@<=5.10", "arm=402@5.1")},
		{"s390 after its last release",
			everywhere("470@6.12..7.2", "s390=", "x86=470@6.19"), everywhere("470@6.19", "s390=")},
		{"s390 before its last release",
			everywhere("463@6.12..7.2", "s390=", "x86=463@6.13"), everywhere("463@6.12..7.2", "s390=", "x86=463@6.13")},
		{"calls for 32 bits", "shiny - x86=403@5.1 arm=403@<=5.10 mips=403@<=5.10 mips64n32=403@<=5.10 ppc=403@<=5.10 s390=403@<=5.10 m68k=403@<=5.10 parisc=403@<=5.10 sh=403@<=5.10",
			"shiny - x86=403@5.1 arm=403@5.1 mips=403@5.1 mips64n32=403@5.1 ppc=403@5.1 s390=403@5.1 m68k=403@5.1 parisc=403@5.1 sh=403@5.1"},
		{"twins", "shiny - ppc=384@<=5.10 ppc64=384@4.18 s390=1@<=5.10 s390x=2@4.18 parisc=3@4.1..6.1 parisc64=3@<=5.10",
			"shiny - ppc=384@4.18 ppc64=384@4.18 s390=1@<=5.10 s390x=2@4.18 parisc=3@4.1..5.10 parisc64=3@4.1..5.10"},
		{"x32 has what x86_64 had before it", "shiny - x86_64=257@2.6 x32=257@3.3..5.10", "shiny - x86_64=257@2.6 x32=257@3.4"},
		{"x86_64 learns nothing from the birth of x32", "shiny - x86_64=257@<=4.10 x32=257@3.3..5.10", "shiny - x86_64=257@<=4.10 x32=257@3.3..4.10"},
	} {
		f := tsv(t, "7.2", c.row)
		if f.deduce(); rows(f)[0] != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.what, rows(f)[0], c.want)
		}
	}
}
