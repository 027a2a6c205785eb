package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The reader of testdata/vectors in Python checks the command, and finds wrong verdicts. It
// runs the command once for each filter: for all in long tests, otherwise for some paragraphs.
func TestVectors(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("rows without targets are for a host of x86_64")
	}
	const dir = "../../testdata/vectors/"
	paragraphs := "4.6,6.4,7.4,9.4"
	if os.Getenv("SECCOMPILE_LONG") != "" {
		paragraphs = "all"
	}
	out, err := exec.Command(python, dir+"reader.py", paragraphs, "seccompile").CombinedOutput()
	if text := string(out); err != nil || !strings.HasSuffix(text, "verdicts agree\n") {
		t.Errorf("%v\n%s", err, text)
	}
	t.Logf("%s", out)

	// The same with a table in which one row of three is right.
	broken := t.TempDir()
	table := "# version and columns\n"
	for _, verdict := range []string{"ERRNO(1)", "LOG", "REFUSED"} {
		table += "1.1\tread\trunc\t-\ts390x\ts390x:read\t0x80000016\t3\t5\t" + verdict + "\n"
	}
	for name, text := range map[string]string{
		"verdicts.tsv": table, "pairs.tsv": "", "abis.tsv": "s390x\t0x80000016\t64\tbig\t0\t102\t117\t38\n",
		"profiles/read.json": `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO"}]}`,
	} {
		file := filepath.Join(broken, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	reader, err := os.ReadFile(dir + "reader.py")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "reader.py"), reader, 0o666); err != nil {
		t.Fatal(err)
	}
	out, err = exec.Command(python, filepath.Join(broken, "reader.py"), "all", "seccompile").CombinedOutput()
	if text := string(out); err == nil || strings.Count(text, "got 0x50001") != 2 || !strings.Contains(text, "1 of 3 verdicts agree") {
		t.Errorf("%v, want two wrong verdicts\n%s", err, text)
	}
}
