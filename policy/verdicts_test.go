package policy_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// TestVerdicts runs the tables testdata/verdicts/*.txt on the profiles beside them.
// Their lines are
//
//	options abis=A,B [mode=strict] [enosys=MODE] [bad-arch=ACTION] [strictest]
//	error WORDS
//	ABI CALL A0 A1 A2 A3 A4 A5 ACTION [DECIDER]
//
// Options resolve the profile anew, for the lines that follow. The errors are all
// the problems that this has, by a part of their text. A call is a name or a
// number, - is an argument of 0, and the decider is the pointer of a rule or one
// of bad-arch, enosys and default.
func TestVerdicts(t *testing.T) {
	const dir = "testdata/verdicts"
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	stems := map[string]int{}
	for _, f := range files {
		stems[strings.TrimSuffix(f.Name(), filepath.Ext(f.Name()))]++
	}
	for stem, n := range stems {
		if n != 2 {
			t.Errorf("%s: want a .json and a .txt file", stem)
			continue
		}
		t.Run(stem, func(t *testing.T) { runTable(t, filepath.Join(dir, stem)) })
	}
}

func runTable(t *testing.T, stem string) {
	data, err := os.ReadFile(stem + ".json")
	if err != nil {
		t.Fatal(err)
	}
	p, warnings, err := oci.Read(data, policy.Target{})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%s.json: %v %v", stem, warnings, err)
	}
	f, err := os.Open(stem + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var resolved *policy.Resolved
	var problems []string // that no error line has named
	place := ""
	settle := func() {
		for _, p := range problems {
			t.Errorf("%s: %s", place, p)
		}
		problems = nil
	}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 0 || fields[0] == "#" || strings.HasPrefix(fields[0], "#"):
		case fields[0] == "options":
			settle()
			place = fmt.Sprintf("%s.txt:%d", stem, n)
			o, err := parseOptions(fields[1:])
			if err != nil {
				t.Fatalf("%s: %v", place, err)
			}
			if resolved, _, err = policy.Resolve(p, o); err != nil {
				problems = strings.Split(err.Error(), "\n")
			}
		case fields[0] == "error":
			words := strings.Join(fields[1:], " ")
			i := slices.IndexFunc(problems, func(p string) bool { return strings.Contains(p, words) })
			if i < 0 {
				t.Errorf("%s.txt:%d: no such error in %q", stem, n, problems)
				continue
			}
			problems = slices.Delete(problems, i, i+1)
		default:
			if resolved == nil {
				t.Fatalf("%s.txt:%d: nothing to ask: %q", stem, n, problems)
			}
			if err := runLine(resolved, fields); err != nil {
				t.Errorf("%s.txt:%d: %s: %v", stem, n, strings.Join(fields, " "), err)
			}
		}
	}
	settle()
}

func parseOptions(fields []string) (o policy.Options, err error) {
	for _, f := range fields {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "abis":
			for name := range strings.SplitSeq(value, ",") {
				a, err := arch.Parse(name)
				if err != nil {
					return o, err
				}
				o.ABIs = append(o.ABIs, a)
			}
		case "mode":
			o.Mode, err = policy.ParseMode(value)
		case "enosys":
			o.ENOSYS, err = policy.ParseENOSYS(value)
		case "bad-arch":
			o.BadArch, err = cbpf.ParseAction(value)
		case "strictest":
			o.StrictestWins = true
		default:
			err = fmt.Errorf("no such option: %s", key)
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

func runLine(r *policy.Resolved, fields []string) error {
	if len(fields) != 9 && len(fields) != 10 {
		return fmt.Errorf("%d columns", len(fields))
	}
	a, err := arch.Parse(fields[0])
	if err != nil {
		return err
	}
	d := cbpf.Data{Arch: a.Audit()}
	if d.NR, err = parseCall(a, fields[1]); err != nil {
		return err
	}
	for i, s := range fields[2:8] {
		if d.Args[i], err = parseArg(s); err != nil {
			return err
		}
	}
	want, err := cbpf.ParseAction(fields[8])
	if err != nil {
		return err
	}
	v := r.Decide(&d)
	if v.Action != want || r.Eval(&d) != want {
		return fmt.Errorf("got %v by %v %s", v.Action, v.Reason, v.Pointer)
	}
	if len(fields) < 10 {
		return nil
	}
	decider := v.Reason.String()
	if v.Reason == policy.ByRule {
		decider = v.Pointer
	}
	if decider != fields[9] {
		return fmt.Errorf("decided by %s", decider)
	}
	return nil
}

func parseCall(a arch.ABI, s string) (uint32, error) {
	if n, err := strconv.ParseUint(s, 0, 32); err == nil {
		return uint32(n), nil
	}
	call, known := syscalltables.Lookup(s)
	nr, ok := call.Number(a)
	if !known || !ok {
		return 0, fmt.Errorf("%v has no call %q", a, s)
	}
	return nr, nil
}

func parseArg(s string) (uint64, error) {
	if s == "-" {
		return 0, nil
	}
	if n, err := strconv.ParseInt(s, 0, 64); err == nil {
		return uint64(n), nil
	}
	return strconv.ParseUint(s, 0, 64)
}
