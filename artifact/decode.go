package artifact

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
)

// Is reports whether data begins as an artifact does, of whatever version.
func Is(data []byte) bool { return bytes.HasPrefix(data, []byte("seccompile artifact ")) }

// Decode reads an artifact's file. It accepts only what AppendBinary writes, byte for
// byte: the digests are right, the kernel accepts the programs, and nothing is left over.
// The error wraps [ErrDamaged] or [ErrNewer] where it is one of these. The artifact shares
// no memory with data.
func Decode(data []byte) (*Artifact, error) {
	if len(data) > MaxSize {
		return nil, tooLarge(len(data))
	}
	body, err := intact(data)
	if err != nil {
		return nil, err
	}
	r := reader{rest: body, line: 2}
	a := r.artifact()
	if r.err != nil {
		return nil, &wrapped{"artifact: line " + strconv.Itoa(r.line) + ": ", r.err, ""}
	}
	// A file has facts that follow from others, and there is more than one way to
	// write a number or a list. Writing it again finds every deviation.
	again, err := a.body()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, body) {
		return nil, problem("line " + strconv.Itoa(difference(again, body)) + ": contradicts the rest (make the artifact again)")
	}
	return a, nil
}

// intact checks the first two lines and returns what is behind them.
func intact(data []byte) (body []byte, err error) {
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	switch {
	case !ok && strings.HasPrefix(magic, string(data)):
		return nil, &wrapped{"artifact: line 1: ", ErrDamaged, ": " + strconv.Itoa(len(data)) + " bytes (copy the file again)"}
	case !ok && Is(data):
		return nil, &wrapped{"artifact: line 1: the format ", ErrNewer, " (this one reads version 1)"}
	case !ok:
		return nil, problem("not an artifact (make one with seccompile compile)")
	case len(rest) <= digestLen || rest[digestLen] != '\n':
		return nil, &wrapped{"artifact: line 2: ", ErrDamaged, ": no digest (copy the file again)"}
	}
	want, body := string(rest[:digestLen]), rest[digestLen+1:]
	if got := Digest(body); got != want {
		return nil, &wrapped{"artifact: line 2: ", ErrDamaged, ": the digest is not that of the content (copy the file again)"}
	}
	return body, nil
}

// difference returns the number of the line in which one body deviates from another.
func difference(a, b []byte) int {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return 3 + bytes.Count(b[:i], []byte{'\n'})
}

// A reader takes a header apart, line by line. After the first mistake it reads
// nothing more.
type reader struct {
	rest []byte
	line int // the last one read
	err  error
}

func (r *reader) fail(reason string) { r.failWith(errors.New(reason)) }

func (r *reader) failWith(err error) {
	if r.err == nil {
		r.err = err
	}
}

// has reports whether the next line begins with a word.
func (r *reader) has(key string) bool {
	return r.err == nil && bytes.HasPrefix(r.rest, []byte(key+" "))
}

// value returns what the next line has after its first word, which must be key.
func (r *reader) value(key string) string {
	if r.err != nil {
		return ""
	}
	r.line++
	text, rest, ok := bytes.Cut(r.rest, []byte{'\n'})
	value, found := strings.CutPrefix(string(text), key+" ")
	if !ok || !found {
		r.fail("the line " + strconv.Quote(key) + " is missing")
		return ""
	}
	r.rest = rest
	return value
}

// list returns the words of the next line; one that is none is an empty list.
func (r *reader) list(key string) []string {
	value := r.value(key)
	if value == none {
		return []string{}
	}
	return strings.Split(value, " ")
}

func (r *reader) number(key, value string) int {
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		r.fail(key + ": " + quote(value) + " is not a number of instructions")
	}
	return int(n)
}

func (r *reader) artifact() *Artifact {
	a := &Artifact{Tool: r.value("tool"), Tables: r.value("tables"), Profile: r.value("profile")}
	a.Reading = Reading{r.value("compat"), r.value("enosys"), r.value("bad-arch"), r.value("strictest-wins") == yesNo(true)}
	var shapes []shape
	for r.has("program") {
		p, s := r.program()
		a.Programs = append(a.Programs, p)
		shapes = append(shapes, s)
	}
	if r.err == nil && !bytes.HasPrefix(r.rest, []byte(end)) {
		r.line++
		r.fail("expected a program or the end")
	}
	if r.err != nil {
		return nil
	}
	r.rest = r.rest[len(end):]
	for i, s := range shapes {
		a.Programs[i].Filter = r.filter(s)
	}
	if len(r.rest) > 0 {
		r.fail("bytes left over after the programs")
	}
	return a
}

// A shape is what the header says of a program's bytes.
type shape struct {
	line, len int
	order     binary.ByteOrder
}

func (r *reader) program() (Program, shape) {
	count, order, _ := strings.Cut(r.value("program"), " ")
	s := shape{r.line, r.number("program", count), binary.LittleEndian}
	if order == orderName(binary.BigEndian) {
		s.order = binary.BigEndian
	}
	p := Program{ABIs: r.list("abis"), GOARCH: r.list("goarch"), Flags: r.flags()}
	r.value("listener") // follows from the program, like its digest
	r.value("digest")
	if policy := r.value("proved"); policy != yesNo(false) {
		p.Proof = &Proof{Policy: policy}
	}
	switch version := r.value("certificate"); version {
	case none:
		return p, s
	case certificateVersion:
	default:
		r.failWith(&wrapped{"certificate: version " + quote(version) + " ", ErrNewer, " (this one reads version " + certificateVersion + ")"})
	}
	longest := r.number("longest-path", r.value("longest-path"))
	if p.Proof == nil {
		r.fail("a certificate of a filter that is not proved")
		return p, s
	}
	p.Proof.LongestPath = longest
	for r.has("bitmap") {
		abi, numbers, _ := strings.Cut(r.value("bitmap"), " ")
		if numbers == none {
			numbers = ""
		}
		p.Proof.Bitmap = append(p.Proof.Bitmap, CachedCalls{abi, numbers})
	}
	return p, s
}

// flags returns the flags of the next line, nil if they are unset.
func (r *reader) flags() []cbpf.Flag {
	names := r.list("flags")
	if slices.Equal(names, []string{unset}) {
		return nil
	}
	flags := make([]cbpf.Flag, len(names))
	for i, name := range names {
		var err error
		if flags[i], err = cbpf.ParseFlag(name); err != nil {
			r.failWith(&wrapped{"flags: " + quote(name) + " ", ErrNewer, ""})
		}
	}
	return flags
}

// filter takes the next program's bytes.
func (r *reader) filter(s shape) *cbpf.Program {
	const insnSize = 8 // of struct sock_filter
	size := s.len * insnSize
	if r.err != nil {
		return nil
	}
	if size > len(r.rest) {
		r.line = s.line
		r.fail("program: " + strconv.Itoa(s.len) + " instructions, but the file has fewer")
		return nil
	}
	p, err := cbpf.Decode(r.rest[:size], s.order)
	if err != nil {
		r.line = s.line
		r.failWith(&wrapped{"program: ", err, ""})
	}
	r.rest = r.rest[size:]
	return p
}
