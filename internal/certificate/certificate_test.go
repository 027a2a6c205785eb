package certificate_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/certificate"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

func mustCertify(t *testing.T, abis ...arch.ABI) *certificate.Certificate {
	t.Helper()
	res, p := compiled(t, abis...)
	c, r, err := certificate.New(res, policy.Options{}, p, proof.Limits{})
	if err != nil || !r.OK() {
		t.Fatal(r.Verdict, r.Findings, err)
	}
	c.Tool, c.Tables = "v1.2.3", "7.2"
	return &c
}

func TestCertificateOfDockerDefault(t *testing.T) {
	res, p := compiled(t, arch.X86_64, arch.X86, arch.X32)
	c := mustCertify(t, arch.X86_64, arch.X86, arch.X32)
	want := certificate.Certificate{
		Version: 1, Tool: "v1.2.3", Tables: "7.2",
		Profile: certificate.PolicyDigest(res), Program: certificate.ProgramDigest(p),
		ABIs:    []string{"x86_64", "x32", "x86"},
		Options: certificate.Reading{Compat: "runc", ENOSYS: "profile", BadArch: "KILL_THREAD"},
		Result:  "same", Instructions: p.Len(), LongestPath: c.LongestPath,
		Bitmap: c.Bitmap,
	}
	if d := cmp.Diff(&want, c); d != "" {
		t.Error(d)
	}
	for i, abi := range []string{"x86_64", "x86"} { // and none for x32
		if i >= len(c.Bitmap) || c.Bitmap[i].ABI != abi || !strings.HasPrefix(c.Bitmap[i].Numbers, "0-") {
			t.Errorf("bitmap %d of %s: %v", i, abi, c.Bitmap)
		}
	}
}

// The intervals are those of the kernel's emulation, and MIPS has no bitmap.
func TestCertificateBitmap(t *testing.T) {
	res, p := compiled(t, arch.AArch64)
	c := mustCertify(t, arch.AArch64)
	var allowed []policy.Interval
	for nr := range uint32(1024) {
		if ok, _ := p.ConstAllow(arch.AArch64.Audit(), nr); !ok {
			continue
		}
		if n := len(allowed); n > 0 && allowed[n-1].Last == nr-1 {
			allowed[n-1].Last = nr
		} else {
			allowed = append(allowed, policy.Interval{First: nr, Last: nr})
		}
	}
	var want []string
	for _, i := range allowed {
		want = append(want, i.String())
	}
	if got := c.Bitmap[0].Numbers; len(res.Spaces) != 1 || len(want) < 10 || got != strings.Join(want, ",") {
		t.Errorf("got  %s\nwant %s", got, strings.Join(want, ","))
	}
	if c := mustCertify(t, arch.MIPS64, arch.MIPS); len(c.Bitmap) != 0 {
		t.Errorf("mips64 has %v", c.Bitmap)
	}
}

func TestPolicyDigestIsOfThisText(t *testing.T) {
	r := &policy.Resolved{
		Default: cbpf.Errno(1),
		BadArch: cbpf.KillThread,
		Spaces: []policy.Space{{
			Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64, arch.X32},
			Ranges: []policy.Range{
				{First: 500, Last: 0x3fffffff, Action: cbpf.Errno(38), Reason: policy.ByENOSYS},
				{First: 0x40000000, Last: 0xfffffffe, Action: cbpf.KillThread, Reason: policy.ByBadArch},
			},
			Calls: []policy.Call{{NR: 41, ABI: arch.X86_64, Clauses: []policy.Clause{
				{Action: cbpf.Allow, Pointer: "/syscalls/1", Conds: []policy.Cond{
					{Arg: 0, Op: policy.MaskedEqual, Mask: 0xff, Value: 2},
					{Arg: 1, Op: policy.Less, Mask: ^uint64(0), Value: 10},
				}},
				{Action: cbpf.Trace(7)},
			}}},
		}},
	}
	const text = `seccompile policy 1
default 0x00050001
bad-arch 0x00000000
space 0xc000003e x86_64 x32
range 0x000001f4 0x3fffffff 0x00050026
range 0x40000000 0xfffffffe 0x00000000
call 0x00000029
clause 0x7fff0000
if 0 SCMP_CMP_MASKED_EQ 0x00000000000000ff 0x0000000000000002
if 1 SCMP_CMP_LT 0xffffffffffffffff 0x000000000000000a
clause 0x7ff00007
`
	want := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text)))
	if got := certificate.PolicyDigest(r); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r.Spaces[0].Calls[0].Clauses[0].Pointer = "/syscalls/9"
	if got := certificate.PolicyDigest(r); got != want {
		t.Error("the place of a rule changes the digest")
	}
}

func TestProgramDigestIsOfTheRawFile(t *testing.T) {
	_, p := compiled(t, arch.S390X)
	raw, _ := p.AppendBinary(nil)
	if got, want := certificate.ProgramDigest(p), fmt.Sprintf("sha256:%x", sha256.Sum256(raw)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Every single value of the document counts.
func TestCertificateAgainst(t *testing.T) {
	good := mustCertify(t, arch.X86_64, arch.X86)
	data, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	same, err := certificate.Parse(data)
	if err != nil || len(same.Against(good)) != 0 {
		t.Fatal(same.Against(good), err)
	}
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	var refused, found []string
	forge := func(name string) {
		changed, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		c, err := certificate.Parse(changed)
		if err != nil {
			refused = append(refused, name)
			return
		}
		m := c.Against(good)
		if len(m) == 0 {
			t.Errorf("%s: not noticed in %s", name, changed)
			return
		}
		found = append(found, m[0].Field)
	}
	for _, name := range keys(doc) {
		old := doc[name]
		switch v := old.(type) {
		case map[string]any:
			for _, inner := range keys(v) {
				was := v[inner]
				v[inner] = other(was)
				forge(name + "." + inner)
				v[inner] = was
			}
		case []any:
			doc[name] = v[1:]
			forge(name)
			doc[name] = append(slices.Clone(v), v[0])
			forge(name)
		default:
			doc[name] = other(v)
			forge(name)
		}
		delete(doc, name)
		forge(name)
		doc[name] = old
	}
	entry := doc["bitmap"].([]any)[1].(map[string]any)
	entry["numbers"] = "0-16"
	forge("bitmap")
	if d := cmp.Diff([]string{"version", "version"}, refused); d != "" {
		t.Error(d)
	}
	want := []string{
		"abis", "abis", "abis", "bitmap.x86_64", "bitmap.x86_64", "bitmap.x86_64",
		"instructions", "instructions", "longestPath", "longestPath",
		"options.badArch", "options.compat", "options.enosys", "options.strictestWins", "options.compat",
		"profile", "profile", "program", "program", "result", "result", "tables", "tables", "tool", "tool", "bitmap.x86",
	}
	if d := cmp.Diff(want, found); d != "" {
		t.Error(d)
	}
}

func keys(m map[string]any) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// other returns another value of the same type.
func other(v any) any {
	switch v := v.(type) {
	case bool:
		return !v
	case float64:
		return v + 1
	}
	return fmt.Sprint(v, "0")
}

func TestParseCertificateRefuses(t *testing.T) {
	tests := map[string]string{
		``:                               "not a certificate",
		`[]`:                             "not a certificate",
		`{"version": 1, "signed": true}`: "signed",
		`{"version": 1} {}`:              "text after it",
		`{"version": 2}`:                 "only version 1 is",
		`{}`:                             "version 0",
	}
	for data, want := range tests {
		if _, err := certificate.Parse([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", data, err, want)
		}
	}
}

// A certificate of a wrong filter says so.
func TestCertificateOfAnotherFilter(t *testing.T) {
	res, _ := compiled(t, arch.X86_64)
	_, p := compiled(t, arch.X86_64, arch.X86)
	c, r, err := certificate.New(res, policy.Options{}, p, proof.Limits{})
	if err != nil || r.Verdict != proof.Different || c.Result != "different" {
		t.Error(c.Result, r.Verdict, err)
	}
}

// compiled returns Docker's profile for the ABIs and the filter of it.
func compiled(t testing.TB, abis ...arch.ABI) (*policy.Resolved, *cbpf.Program) {
	t.Helper()
	p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: abis[0], Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	res, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
	if err != nil {
		t.Fatal(err)
	}
	c, err := proved.Compile(res, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return res, c.Program
}
