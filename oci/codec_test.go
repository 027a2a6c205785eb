package oci_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
)

func TestFilterSurvivesJSON(t *testing.T) {
	const rest = `"listenerPath": "@agent", "listenerMetadata": "\u00fc", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}`
	for _, test := range []struct {
		profile string
		abi     arch.ABI
	}{
		{`{"defaultAction": "SCMP_ACT_ALLOW", ` + rest, arch.X86_64},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "flags": [], ` + rest, arch.S390X},
		{`{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], ` + rest, arch.MIPS},
	} {
		f, err := oci.Compile(profile(t, test.profile), oci.Options{Policy: policy.Options{ABIs: []arch.ABI{test.abi}}})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(map[string]*oci.Filter{"filter": f})
		if err != nil {
			t.Fatal(err)
		}
		var state struct{ Filter oci.Filter }
		if err := json.Unmarshal(text, &state); err != nil {
			t.Fatal(err)
		}
		got := &state.Filter
		before, _ := f.Program.AppendBinary(nil)
		after, _ := got.Program.AppendBinary(nil)
		if !bytes.Equal(before, after) || f.Program.Order() != got.Program.Order() {
			t.Errorf("another program:\n%s\nwant\n%s", got.Program.Disassemble(nil), f.Program.Disassemble(nil))
		}
		if diff := cmp.Diff(f.Flags, got.Flags); diff != "" {
			t.Error(diff)
		}
		if f.ListenerPath != got.ListenerPath || f.ListenerMetadata != got.ListenerMetadata {
			t.Errorf("%q, %q", got.ListenerPath, got.ListenerMetadata)
		}
	}
}

func TestFilterFromBadJSON(t *testing.T) {
	const allow = `BgAAAAAA/38=` // ret ALLOW
	for _, test := range []struct{ text, want string }{
		{`{}`, `byte order ""`},
		{`{"byteOrder": "little"}`, "cbpf"},
		{`{"byteOrder": "big", "program": "` + allow + `"}`, "cbpf"},
		{`{"byteOrder": "little", "program": "` + allow[:8] + `"}`, "cbpf"},
		{`{"byteOrder": "little", "program": "` + allow + `", "flags": ["LOG"]}`, `flag "LOG" is unknown`},
		{`{"byteOrder": "little", "program": "?"}`, "illegal base64"},
		{`{"byteOrder": 1}`, "cannot unmarshal number"},
	} {
		var f oci.Filter
		err := json.Unmarshal([]byte(test.text), &f)
		if err == nil || !strings.HasPrefix(err.Error(), "oci: filter: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.text, err, test.want)
		}
		if f.Program != nil {
			t.Errorf("%s: left a program", test.text)
		}
	}
	var f oci.Filter
	if err := json.Unmarshal([]byte(`{"byteOrder": "little", "program": "`+allow+`"}`), &f); err != nil || f.Program.Len() != 1 {
		t.Errorf("%v, %v", f, err)
	}
	if text, err := json.Marshal(new(oci.Filter)); err == nil {
		t.Errorf("the zero Filter is %s", text)
	}
}

// A runtime's state may hold the filter itself, not a pointer to it.
func TestFilterInAStruct(t *testing.T) {
	f, err := oci.Compile(profile(t, `{"defaultAction": "SCMP_ACT_ALLOW"}`), oci.Options{Policy: x86_64()})
	if err != nil {
		t.Fatal(err)
	}
	type state struct{ Filter oci.Filter }
	text, err := json.Marshal(state{*f})
	if err != nil {
		t.Fatal(err)
	}
	var back state
	if err := json.Unmarshal(text, &back); err != nil || back.Filter.Program.Len() != f.Program.Len() {
		t.Errorf("%s: %v, %v", text, back, err)
	}
	if _, err := json.Marshal(state{}); err == nil {
		t.Error("a filter without a program is written")
	}
}
