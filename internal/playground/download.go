package playground

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/emit"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
)

// A form is what the page says of a format, and the files that have it.
type form struct{ title, extension, mime string }

// formOf returns the form of a format. One that the page has no words for is called by its name.
func formOf(format string) form {
	switch format {
	case emit.Raw:
		return form{"bytes, for seccomp(2)", ".bpf", "application/octet-stream"}
	case emit.Hex:
		return form{"hexadecimal text", ".hex", "text/plain"}
	case emit.Asm:
		return form{"assembly with comments", ".s", "text/plain"}
	case emit.JSON:
		return form{"JSON", ".json", "application/json"}
	case emit.C:
		return form{"C header", ".h", "text/x-c"}
	case emit.Go:
		return form{"Go file", ".go", "text/x-go"}
	case emit.JS:
		return form{"JavaScript", ".js", "text/javascript"}
	case emit.Python:
		return form{"Python", ".py", "text/x-python"}
	}
	return form{format, "", "application/octet-stream"}
}

// formats lists the formats of filters.
func formats() []Format {
	list := []Format{}
	for _, name := range emit.Formats() {
		list = append(list, Format{name, formOf(name).title})
	}
	return list
}

// download writes a subject's filter in a format.
func (e *Engine) download(q *downloadOf) (*Download, error) {
	s, err := e.good(q.Subject)
	if err != nil {
		return nil, err
	}
	if known := emit.Formats(); !slices.Contains(known, q.Format) {
		return nil, failure.Usagef("unknown format %q", q.Format).HintNearest(q.Format, known, "formats are "+strings.Join(known, ", "))
	}
	f := emit.Filter{Source: s.in.Name, ABIs: intake.ABINames(s.abis)}
	if s.compiled != nil {
		// As the command has it: only the thread that executes a program survives that.
		f.Flags = slices.DeleteFunc(slices.Clone(s.compiled.Policy.Flags), func(f cbpf.Flag) bool { return f == cbpf.TSync })
	}
	data, err := f.Render(q.Format, s.filter)
	if err != nil {
		return nil, err
	}
	base := s.Source.Name[strings.LastIndexByte(s.Source.Name, '/')+1:]
	if i := strings.LastIndexByte(base, '.'); i > 0 {
		base = base[:i]
	}
	if base == "" {
		base = "filter"
	}
	file := formOf(q.Format)
	out := &Download{Name: base + file.extension, Type: file.mime, Text: string(data)}
	if q.Format == emit.Raw {
		out.Text, out.Binary = base64.StdEncoding.EncodeToString(data), true
	}
	return out, nil
}
