package emit

import (
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/symbols"
)

// A Document is the document of -f json, and of disasm --json.
type Document struct {
	Version      int           `json:"version"`
	ABIs         []string      `json:"abis,omitempty"`
	Flags        *[]string     `json:"flags,omitempty"` // that the profile asks for
	ByteOrder    string        `json:"byteOrder"`       // "little" or "big"
	Instructions []Instruction `json:"instructions"`
}

// An Instruction is one of a Document.
type Instruction struct {
	Code    uint16 `json:"code"`
	JT      uint8  `json:"jt"`
	JF      uint8  `json:"jf"`
	K       uint32 `json:"k"`
	Text    string `json:"text,omitempty"`
	Comment string `json:"comment,omitempty"`
	Origin  string `json:"origin,omitempty"` // JSON pointers into the profile
}

func (e *Filter) renderJSON(p *cbpf.Program) ([]byte, error) {
	doc := filterDocument(p)
	doc.ABIs = e.ABIs
	if e.Flags != nil {
		names := FlagNames(e.Flags)
		doc.Flags = &names
	}
	return answer.Marshal(doc)
}

func filterDocument(p *cbpf.Program) *Document {
	doc := &Document{Version: answer.Version, ByteOrder: intake.OrderName(p.Order())}
	for pc := range p.Len() {
		i := p.At(pc)
		doc.Instructions = append(doc.Instructions, Instruction{
			Code: i.Op, JT: i.Jt, JF: i.Jf, K: i.K, Origin: p.Origin(pc),
		})
	}
	return doc
}

// Disassembly returns the document of a filter with its assembly text.
func Disassembly(p *cbpf.Program) *Document {
	doc := filterDocument(p)
	for pc, l := range p.Lines(symbols.Names()) {
		doc.Instructions[pc].Text = strings.Join(strings.Fields(l.Text), " ")
		doc.Instructions[pc].Comment = l.Comment
	}
	return doc
}

// FlagNames returns the names of flags, for programs.
func FlagNames(flags []cbpf.Flag) []string {
	names := []string{}
	for _, f := range flags {
		names = append(names, f.String())
	}
	return names
}
