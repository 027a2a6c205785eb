package edit

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// changesOf makes changes of texts such as "allow read,write".
func changesOf(t *testing.T, texts ...string) (list []Change) {
	t.Helper()
	for _, text := range texts {
		word, calls, _ := strings.Cut(text, " ")
		specs, err := Parse(calls)
		if err != nil {
			t.Fatal(err)
		}
		action := map[string]cbpf.Action{"allow": cbpf.Allow, "log": cbpf.Log, "kill": cbpf.KillProcess, "eperm": cbpf.Errno(1)}[word]
		list = append(list, Change{Specs: specs, Action: action, Deny: word == "deny"})
	}
	return list
}

// TestTextStays: an edit changes what it is about, and leaves the rest as it was written.
func TestTextStays(t *testing.T) {
	const x86 = `"architectures":["SCMP_ARCH_X86_64"]`
	tests := []struct {
		rule, text string
		changes    []string
		want       string
	}{
		{
			"a name goes to its place in a sorted list", "\ufeff" + `{"x":1, "defaultAction":"SCMP_ACT_ERRNO", ` + x86 + `, "syscalls":[{"names":["close","write"],"action":"SCMP_ACT_ALLOW"}]}`,
			[]string{"allow read"},
			"\ufeff" + `{"x":1, "defaultAction":"SCMP_ACT_ERRNO", ` + x86 + `, "syscalls":[{"names":["close","read","write"],"action":"SCMP_ACT_ALLOW"}]}`,
		},
		{
			"nothing to change", `{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["write" , "read"],"action":"SCMP_ACT_ALLOW"}]}`,
			[]string{"allow read", "deny close,mount"},
			`{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["write" , "read"],"action":"SCMP_ACT_ALLOW"}]}`,
		},
		{
			"only the name leaves a list", `{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["read", "mount", "write", "statx"],"action":"SCMP_ACT_ALLOW"}]}`,
			[]string{"deny mount"},
			`{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["read", "write", "statx"],"action":"SCMP_ACT_ALLOW"}]}`,
		},
		{
			"the largest name keeps the bound for newer calls", `{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["read","statx"],"action":"SCMP_ACT_ALLOW"}]}`,
			[]string{"deny statx"},
			`{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"},{"names":["statx"],"action":"SCMP_ACT_ERRNO","errnoRet":1,"comment":"Known calls up to this one get the default action, and not ENOSYS."}]}`,
		},
		{
			"calls between an old and a new bound keep ENOSYS", `{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["pidfd_send_signal"],"action":"SCMP_ACT_ALLOW"}]}`,
			[]string{"allow io_uring_register"},
			`{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["io_uring_register","pidfd_send_signal"],"action":"SCMP_ACT_ALLOW"},{"names":["io_uring_enter","io_uring_setup"],"action":"SCMP_ACT_ERRNO","errnoRet":38,"comment":"ENOSYS for calls that were newer than this profile before it named newer ones."}]}`,
		},
		{
			"a condition beside other calls", `{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["read","statx"],"action":"SCMP_ACT_ALLOW"}]}`,
			[]string{"allow socket(family in {AF_UNIX, AF_INET})"},
			`{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["read","statx"],"action":"SCMP_ACT_ALLOW"},{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]},{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]}]}`,
		},
		{
			"a condition narrows a rule without one, in its place", `{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["clone"],"action":"SCMP_ACT_ALLOW"},{"names":["statx"],"action":"SCMP_ACT_ALLOW"}]}`,
			[]string{"deny clone(flags & CLONE_NEWUSER != 0)"},
			`{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":268435456,"op":"SCMP_CMP_MASKED_EQ"}]},{"names":["statx"],"action":"SCMP_ACT_ALLOW"}]}`,
		},
		{
			"the last change has precedence", `{"defaultAction":"SCMP_ACT_ALLOW",` + x86 + `}`,
			[]string{"deny socket", "allow socket(family == AF_UNIX)"},
			`{"defaultAction":"SCMP_ACT_ALLOW",` + x86 + `,"syscalls": [{"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":1,"args":[{"index":0,"value":1,"op":"SCMP_CMP_NE"}]}]}`,
		},
		{
			"a config.json stays one", `{"ociVersion":"1.2.0","process":{},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[]},"b":2}}`,
			[]string{"allow read,write"},
			`{"ociVersion":"1.2.0","process":{},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO",` + x86 + `,"syscalls":[{"names":["read","write"],"action":"SCMP_ACT_ALLOW"}, {"names":["rseq_slice_yield"],"action":"SCMP_ACT_ERRNO","errnoRet":1,"comment":"Known calls up to this one get the default action, and not ENOSYS."}]},"b":2}}`,
		},
		{
			"rules under conditions of Docker's lose the name as well", `{"defaultAction":"SCMP_ACT_ERRNO","archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":[]}],"syscalls":[{"names":["read","statx"],"action":"SCMP_ACT_ALLOW"},{"names":["bpf"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BPF"]}}]}`,
			[]string{"kill bpf"},
			`{"defaultAction":"SCMP_ACT_ERRNO","archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":[]}],"syscalls":[{"names":["read","statx"],"action":"SCMP_ACT_ALLOW"},{"names":["bpf"],"action":"SCMP_ACT_KILL_PROCESS"}]}`,
		},
	}
	for _, tt := range tests {
		r, err := Edit(language.NewSource([]byte(tt.text)), Request{Changes: changesOf(t, tt.changes...)})
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
		} else if string(r.Text) != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.rule, r.Text, tt.want)
		}
	}
}

func TestSettings(t *testing.T) {
	action := func(a cbpf.Action) *cbpf.Action { return &a }
	tests := []struct {
		text     string
		settings Settings
		want     string
	}{
		{`{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[]}`, Settings{Default: action(cbpf.Allow)}, `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[]}`},
		{`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[]}`, Settings{Default: action(cbpf.Errno(7))}, `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet": 7,"syscalls":[]}`},
		{`{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"ENOSYS","defaultErrnoRet":38}`, Settings{Default: action(cbpf.Errno(1))}, `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1}`},
		{`{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG"]}`, Settings{Flags: []cbpf.Flag{}}, `{"defaultAction":"SCMP_ACT_ALLOW","flags":[]}`},
		{`{"defaultAction":"SCMP_ACT_ALLOW"}`, Settings{Flags: []cbpf.Flag{cbpf.LogFlag}}, `{"defaultAction":"SCMP_ACT_ALLOW","flags": ["SECCOMP_FILTER_FLAG_LOG"]}`},
		{`{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"]}`, Settings{ABIs: []arch.ABI{arch.X86_64, arch.X86}}, `{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]}`},
		{
			`{"defaultAction":"SCMP_ACT_ALLOW","archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"]},{"architecture":"SCMP_ARCH_S390X","subArchitectures":[]}]}`,
			Settings{ABIs: []arch.ABI{arch.X86_64, arch.X86, arch.AArch64}},
			`{"defaultAction":"SCMP_ACT_ALLOW","archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]},{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []}]}`,
		},
	}
	for _, tt := range tests {
		r, err := Edit(language.NewSource([]byte(tt.text)), Request{Settings: tt.settings})
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
		} else if string(r.Text) != tt.want {
			t.Errorf("got  %s\nwant %s", r.Text, tt.want)
		}
	}
	_, err := Edit(language.NewSource([]byte(tests[6].text)), Request{Settings: Settings{ABIs: []arch.ABI{arch.X86}}})
	if err == nil || !strings.Contains(err.Error(), "name x86_64, too") {
		t.Errorf("x86 alone in an archMap: %v", err)
	}
}

// TestDockerDefault: the edits of the profile that people start from hold in every context.
func TestDockerDefault(t *testing.T) {
	before, err := open(language.NewSource(preset.Docker()))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"allow mount", "deny ptrace", "deny clone(flags & CLONE_NEWUSER != 0)", "allow clone(flags & CLONE_NEWUSER == 0)",
		"log ioctl(request == TIOCSTI)", "kill socket(family == AF_INET)", "allow listns",
	} {
		c := changesOf(t, text)[0]
		r, err := Edit(before.source, Request{Changes: []Change{c}})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		after, err := before.with(r.Text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if c.Deny {
			c.Action = cbpf.Errno(1)
		}
		for i := 0; i < len(before.contexts); i += 40 {
			x, y := before.contexts[i], after.contexts[i]
			if fault := differs(gen.New(uint64(i)), x.resolved, y.resolved, &c); fault != "" {
				t.Errorf("%s: for %v: %s", text, x, fault)
			}
		}
	}
}

// TestRefusals: what a profile cannot say is an error at the place of the rule, and not
// something near it.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct{ text, change, want string }{
		{`{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["read"],"action":"SCMP_ACT_LOG"}]}`, "deny open(flags & O_LARGEFLE != 0)", "edit: open: flags:"},
		{`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_AARCH64"],"syscalls":[{"names":["read","statx"],"action":"SCMP_ACT_ALLOW"}]}`, "allow openat(flags == O_DIRECTORY)", "policy: /syscalls: openat: this profile cannot say ALLOW"},
		{`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],"syscalls":[{"names":["socket","statx"],"action":"SCMP_ACT_ALLOW"}]}`, "deny socketcall", ""},
	} {
		r, err := Edit(language.NewSource([]byte(tt.text)), Request{Changes: changesOf(t, tt.change)})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) || tt.want == "" && r != nil {
			t.Errorf("%s: %v, want %s", tt.change, err, tt.want)
		}
		if _, ok := err.(policy.Errors); err != nil && !ok && !strings.HasPrefix(tt.want, "edit: ") {
			t.Errorf("%s: %T", tt.change, err)
		}
	}
}

// TestNewerCalls: a call newer than the profile can be allowed where programs also make calls
// through socketcall and ipc. The rule that gives ENOSYS to others that were newer holds there
// as well, which changes the error of a denial, and a note says so.
func TestNewerCalls(t *testing.T) {
	for _, abi := range []arch.ABI{arch.X86, arch.S390, arch.MIPS} {
		for _, standard := range []string{"ERRNO", "KILL_PROCESS"} {
			text := `{"defaultAction":"SCMP_ACT_` + standard + `","architectures":["` + abi.OCI() + `"],"syscalls":[{"names":["read","exit_group","connect"],"action":"SCMP_ACT_ALLOW"},` +
				`{"names":["semctl"],"action":"SCMP_ACT_LOG"},{"names":["recv"],"action":"SCMP_ACT_ALLOW","args":[{"index":3,"value":0,"op":"SCMP_CMP_EQ"}]}]}`
			r, err := Edit(language.NewSource([]byte(text)), Request{Changes: changesOf(t, "allow openat2")})
			if err != nil {
				t.Errorf("%v, %s: %v", abi, standard, err)
				continue
			}
			before, err := open(language.NewSource([]byte(text)))
			if err != nil {
				t.Fatal(err)
			}
			after, err := before.with(r.Text)
			if err != nil {
				t.Fatal(err)
			}
			n, _ := abi.Errno("ENOSYS")
			notes := strings.Join(r.Notes, "\n")
			sockets, _ := abi.Socketcall()
			ipcs, _ := abi.IPC()
			renumbered := 0
			for _, nr := range []uint32{sockets, ipcs} {
				for selector := range uint64(32) {
					d := &cbpf.Data{Arch: abi.Audit(), NR: nr, Args: [6]uint64{selector}}
					was, is := before.contexts[0].resolved.Eval(d), after.contexts[0].resolved.Eval(d)
					if was == is {
						continue
					}
					renumbered++
					if was != before.standard() || is != cbpf.Errno(n) {
						t.Errorf("%v, %s: selector %d of number %d gets %v, and got %v", abi, standard, selector, nr, is, was)
					}
				}
			}
			if renumbered == 0 || strings.Count(notes, " through socketcall")+strings.Count(notes, " through ipc") != renumbered {
				t.Errorf("%v, %s: %d calls get ENOSYS through multiplexers, and notes say:\n%s", abi, standard, renumbered, notes)
			}
		}
	}
}

// TestConditionsOnNewerCalls: conditions on a call that is newer than the profile on one of its
// ABIs alone can be said, with another error where they do not hold there. Where a rule for
// ENOSYS can say the rest, as on one ABI, nothing changes.
func TestConditionsOnNewerCalls(t *testing.T) {
	for _, tt := range []struct {
		abis  []arch.ABI
		other cbpf.Action // of x32's or else of the first ABI
		note  string
	}{
		{[]arch.ABI{arch.X86_64, arch.X32}, cbpf.Errno(1), "ERRNO(1) in place of ENOSYS where the conditions do not hold, since the profile names the call now: ioctl of x32"},
		{[]arch.ABI{arch.X32}, cbpf.Errno(38), ""},
	} {
		text := `{"defaultAction":"SCMP_ACT_ERRNO","architectures":` + list(tt.abis, arch.ABI.OCI) + `,"syscalls":[{"names":["read","exit_group"],"action":"SCMP_ACT_ALLOW"}]}`
		r, err := Edit(language.NewSource([]byte(text)), Request{Changes: changesOf(t, "allow ioctl(request == 21505)")})
		if err != nil {
			t.Errorf("%v: %v", tt.abis, err)
			continue
		}
		if notes := strings.Join(r.Notes, "\n"); strings.Contains(notes, "in place of ENOSYS") != (tt.note != "") || !strings.Contains(notes, tt.note) {
			t.Errorf("%v: notes %s, want %s", tt.abis, notes, tt.note)
		}
		after, err := open(language.NewSource(r.Text))
		if err != nil {
			t.Fatal(err)
		}
		for request, want := range map[uint64]cbpf.Action{21505: cbpf.Allow, 21506: tt.other} {
			if got := after.contexts[0].resolved.Eval(&cbpf.Data{Arch: arch.X32.Audit(), NR: 1<<30 | 514, Args: [6]uint64{0, request}}); got != want {
				t.Errorf("%v: ioctl %d gets %v, want %v", tt.abis, request, got, want)
			}
		}
	}
}

// TestManyRules: what an edit changed is found in a profile whose rules together are beyond the
// limits of a proof.
func TestManyRules(t *testing.T) {
	var rules []string
	for i := range 10000 {
		rules = append(rules, fmt.Sprintf(`{"names":[%q],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":%d,"op":"SCMP_CMP_EQ"}]}`,
			[]string{"read", "write", "open", "close", "stat", "fstat", "lstat", "poll", "lseek", "mmap", "mprotect", "munmap", "brk", "ioctl"}[i%14], 7*i))
	}
	text := `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[` + strings.Join(rules, ",") + `]}`
	r, err := Edit(language.NewSource([]byte(text)), Request{Changes: changesOf(t, "allow getpid")})
	if err != nil {
		t.Fatal(err)
	}
	before, err1 := open(language.NewSource([]byte(text)))
	after, err2 := open(language.NewSource(r.Text))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	a, b := before.contexts[0].resolved, after.contexts[0].resolved
	var limit *proof.LimitError
	if _, err := proof.Diff(proof.Policy(a), proof.Policy(b), proof.Limits{}); !errors.As(err, &limit) {
		t.Fatalf("all rules are within the limits: %v", err)
	}
	found, err := Changes(a, b)
	var own []proof.Change
	for _, c := range found {
		if c.To == cbpf.Allow {
			own = append(own, c)
		}
	}
	if err != nil || len(own) != 1 || own[0].First != 39 || own[0].Last != 39 {
		t.Errorf("changes %v, %v", found, err)
	}
}
