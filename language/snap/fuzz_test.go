package snap

import (
	"bytes"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// FuzzRead feeds bytes to the reader, as a policy and as its template. What it reads must be
// a policy with places that resolves, and nothing may panic.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"read\n~write\nsocket AF_UNIX|1 !2 <3 >=4 |5 -\n@complain\n",
		"setuid -1\nchown - u:root g:daemon\n# x\n  # y\n@unrestricted\r\n",
		"mmap 0 0 0 0 0 0 0\n \nopen - |O_TMPFILE\n~~x\n1 2\nsocket 0x1 4294967296\u00a0",
	} {
		f.Add([]byte(text), "", "daemon:1")
		f.Add([]byte(text), "t", "")
	}
	f.Fuzz(func(t *testing.T, data []byte, template, groups string) {
		files := fstest.MapFS{"x": {Data: data}, "t": {Data: data[len(data)/2:]}}
		s := language.NewSource(data).In(files, "x")
		for _, a := range []arch.ABI{arch.X86_64, arch.S390X} {
			reading, err := Language{Template: template, Groups: groups}.Read(s, policy.Target{ABI: a})
			if (reading.Policy == nil) == (err == nil) {
				t.Fatalf("policy %v, error %v", reading.Policy, err)
			}
			if problems, ok := err.(policy.Errors); err != nil && (!ok || len(problems) == 0) {
				t.Fatalf("error %#v", err)
			}
			for _, w := range reading.Warnings {
				if w.Pointer == "" && w.More == 0 {
					t.Errorf("no place: %v", w)
				}
			}
			if err == nil {
				if _, _, err := policy.Resolve(reading.Policy, policy.Options{}); err != nil {
					t.Errorf("%q: %v", data, err)
				}
			}
		}
	})
}

// FuzzDecode feeds bytes to the reader of compiled files. What it accepts is written again as
// it was, but for bytes that mean nothing.
func FuzzDecode(f *testing.F) {
	for _, x := range []Filters{{Unrestricted: true}, {Deny: all(f, false), Allow: all(f, false)}, {Deny: all(f, true), Allow: all(f, true)}} {
		data, err := x.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := Decode(data)
		if (x == nil) == (err == nil) {
			t.Fatalf("%v, %v", x, err)
		}
		if err != nil || x.Unrestricted {
			return
		}
		again, err := x.AppendBinary(nil)
		if err != nil || len(again) != len(data) || !bytes.Equal(again[headerSize:], data[headerSize:]) || !bytes.Equal(again[:4], data[:4]) {
			t.Errorf("%x, %v", again, err)
		}
	})
}
