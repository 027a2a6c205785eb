package artifact

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
)

// The words of the format that stand in two places.
const (
	magic = "seccompile artifact 1\n"
	none  = "none"
	unset = "unset"
	end   = "end\n"
)

// certificateVersion is that of internal/certificate: which facts a certificate has and
// what they mean.
const certificateVersion = "1"

// digestLen is the length of a digest in characters.
const digestLen = len(digestPrefix) + 64

// AppendBinary implements [encoding.BinaryAppender]: it appends the artifact's file.
// Equal artifacts make equal files. The error lists every field that cannot be encoded.
func (a *Artifact) AppendBinary(b []byte) ([]byte, error) {
	body, err := a.body()
	if err != nil {
		return b, err
	}
	b = append(b, magic...)
	b = append(b, Digest(body)...)
	b = append(b, '\n')
	return append(b, body...), nil
}

// body returns what the digest covers.
func (a *Artifact) body() ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	b := a.header(nil)
	for i := range a.Programs {
		b, _ = a.Programs[i].Filter.AppendBinary(b) // the error is always nil
	}
	if size := len(magic) + digestLen + 1 + len(b); size > MaxSize {
		return nil, tooLarge(size)
	}
	return b, nil
}

// header appends the text after the digest.
func (a *Artifact) header(b []byte) []byte {
	b = line(b, "tool", a.Tool)
	b = line(b, "tables", a.Tables)
	b = line(b, "profile", a.Profile)
	b = line(b, "compat", a.Reading.Compat)
	b = line(b, "enosys", a.Reading.ENOSYS)
	b = line(b, "bad-arch", a.Reading.BadArch)
	b = line(b, "strictest-wins", yesNo(a.Reading.StrictestWins))
	for i := range a.Programs {
		b = a.Programs[i].header(b)
	}
	return append(b, end...)
}

func (p *Program) header(b []byte) []byte {
	b = line(b, "program", strconv.Itoa(p.Filter.Len()), orderName(p.Filter.Order()))
	b = line(b, "abis", p.ABIs...)
	b = line(b, "goarch", orNone(p.GOARCH)...)
	if p.Flags == nil {
		b = line(b, "flags", unset)
	} else {
		b = line(b, "flags", orNone(flagNames(p.Flags))...)
	}
	b = line(b, "listener", yesNo(p.Filter.Returns(cbpf.Notify)))
	b = line(b, "digest", p.Digest())
	if p.Proof == nil {
		b = line(b, "proved", yesNo(false))
		return line(b, "certificate", none)
	}
	b = line(b, "proved", p.Proof.Policy)
	if p.Proof.LongestPath == 0 {
		return line(b, "certificate", none)
	}
	b = line(b, "certificate", certificateVersion)
	b = line(b, "longest-path", strconv.Itoa(p.Proof.LongestPath))
	for _, c := range p.Proof.Bitmap {
		b = line(b, "bitmap", c.ABI, cmp.Or(c.Numbers, none))
	}
	return b
}

func line(b []byte, key string, values ...string) []byte {
	b = append(b, key...)
	for _, v := range values {
		b = append(b, ' ')
		b = append(b, v...)
	}
	return append(b, '\n')
}

func orNone(list []string) []string {
	if len(list) == 0 {
		return []string{none}
	}
	return list
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func orderName(o binary.ByteOrder) string {
	if o == binary.BigEndian {
		return "big"
	}
	return "little"
}

func tooLarge(size int) error {
	return problem(strconv.Itoa(size) + " bytes, more than " + strconv.Itoa(MaxSize) + " (put fewer programs into one)")
}

func problem(reason string) error { return errors.New("artifact: " + reason) }

// A wrapped error has text around another one. With fmt, programs that only load would
// be 200 KB larger.
type wrapped struct {
	before string
	err    error
	after  string
}

func (w *wrapped) Error() string { return w.before + w.err.Error() + w.after }

func (w *wrapped) Unwrap() error { return w.err }

// Limits that no real artifact comes near. They keep a hostile one from costing more
// than its size.
const (
	maxList = 32  // programs, and words of a line
	maxWord = 128 // characters, but of a bitmap's numbers
)

// A checker collects what is wrong with an artifact.
type checker struct{ problems []error }

func (c *checker) fail(place, reason string) {
	c.problems = append(c.problems, problem(place+": "+reason))
}

// check finds everything that a file cannot say or a reader cannot use.
func (a *Artifact) check() error {
	var c checker
	if a.Tool == "" || len(a.Tool) > maxWord || strings.Trim(a.Tool, " ") != a.Tool || strings.ContainsFunc(a.Tool, unprintable) {
		c.fail("tool", quote(a.Tool)+" is not a short text of printable ASCII")
	}
	c.word("tables", a.Tables)
	c.digest("profile", a.Profile)
	c.word("compat", a.Reading.Compat)
	c.word("enosys", a.Reading.ENOSYS)
	c.word("bad-arch", a.Reading.BadArch)
	switch n := len(a.Programs); {
	case n == 0:
		c.fail("program", "missing (add one)")
	case n > maxList:
		c.fail("program", strconv.Itoa(n)+" of them, more than "+strconv.Itoa(maxList))
	default:
		c.programs(a.Programs)
	}
	return errors.Join(c.problems...)
}

func (c *checker) programs(list []Program) {
	var abis, goarch []string
	for i := range list {
		p := &list[i]
		place := "program " + strconv.Itoa(i+1)
		if p.Filter == nil || p.Filter.Len() == 0 {
			c.fail(place, "no instructions")
		}
		if len(p.ABIs) == 0 {
			c.fail(place+": abis", "missing (add one)")
		}
		if p.longestList() > maxList {
			c.fail(place, "a list of more than "+strconv.Itoa(maxList)+" words")
			continue
		}
		c.words(place+": abis", p.ABIs)
		c.words(place+": goarch", p.GOARCH)
		c.flags(place+": flags", p.Flags)
		c.proof(place, p)
		abis = append(abis, p.ABIs...)
		goarch = append(goarch, p.GOARCH...)
	}
	c.once("abis", abis)
	c.once("goarch", goarch)
}

func (p *Program) longestList() int {
	n := max(len(p.ABIs), len(p.GOARCH), len(p.Flags))
	if p.Proof != nil {
		n = max(n, len(p.Proof.Bitmap))
	}
	return n
}

func (c *checker) proof(place string, p *Program) {
	if p.Proof == nil {
		return
	}
	c.digest(place+": proved", p.Proof.Policy)
	n := p.Proof.LongestPath
	if n == 0 && len(p.Proof.Bitmap) > 0 {
		c.fail(place+": longest-path", "missing beside a bitmap")
	}
	if n < 0 || p.Filter != nil && n > p.Filter.Len() {
		c.fail(place+": longest-path", strconv.Itoa(n)+" is not between 0 and the length of the program")
	}
	var abis []string
	for _, b := range p.Proof.Bitmap {
		if !slices.Contains(p.ABIs, b.ABI) {
			c.fail(place+": bitmap", quote(b.ABI)+" is not among the program's ABIs")
		}
		if strings.Trim(b.Numbers, "0123456789-,xabcdef") != "" {
			c.fail(place+": bitmap", quote(b.Numbers)+" is not a list of numbers")
		}
		abis = append(abis, b.ABI)
	}
	c.once(place+": bitmap", abis)
}

// words checks a list whose words are joined by spaces.
func (c *checker) words(place string, list []string) {
	for _, s := range list {
		c.word(place, s)
		if s == none || s == unset {
			c.fail(place, quote(s)+" is reserved")
		}
	}
}

func (c *checker) word(place, s string) {
	if s == "" || len(s) > maxWord || strings.ContainsFunc(s, unprintable) || strings.Contains(s, " ") {
		c.fail(place, quote(s)+" is not a word of printable ASCII")
	}
}

func (c *checker) digest(place, s string) {
	digits, ok := strings.CutPrefix(s, digestPrefix)
	if !ok || len(s) != digestLen || strings.Trim(digits, "0123456789abcdef") != "" {
		c.fail(place, quote(s)+" is not sha256: and 64 lower-case hexadecimal digits")
	}
}

func (c *checker) flags(place string, flags []cbpf.Flag) {
	for _, f := range flags {
		if !slices.Contains(cbpf.ProfileFlags(), f) {
			c.fail(place, f.String()+" is not a flag that a profile may name")
		}
	}
	c.once(place, flagNames(flags))
}

func flagNames(flags []cbpf.Flag) []string {
	names := make([]string, len(flags))
	for i, f := range flags {
		names[i] = f.String()
	}
	return names
}

func (c *checker) once(place string, list []string) {
	for i, s := range list {
		if slices.Contains(list[:i], s) {
			c.fail(place, quote(s)+" is listed twice")
		}
	}
}

func unprintable(r rune) bool { return r < ' ' || r > '~' }

// quote returns a text for a message, short and safe for a terminal.
func quote(s string) string {
	if len(s) > maxWord {
		return strconv.QuoteToASCII(s[:maxWord]) + "..."
	}
	return strconv.QuoteToASCII(s)
}
