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

// formats lists the formats of filters.
func formats() []Format {
	list := []Format{}
	for _, name := range emit.Formats() {
		list = append(list, Format{name, formatTitle(name)})
	}
	return list
}

func formatTitle(name string) string {
	switch name {
	case emit.Raw:
		return "bytes, for seccomp(2)"
	case emit.Hex:
		return "hexadecimal text"
	case emit.Asm:
		return "assembly with comments"
	case emit.JSON:
		return "JSON"
	case emit.C:
		return "C header"
	case emit.Go:
		return "Go file"
	case emit.JS:
		return "JavaScript"
	case emit.Python:
		return "Python"
	}
	return name
}

// fileOf returns the extension and the type of the files of a format.
func fileOf(format string) (extension, mime string) {
	switch format {
	case emit.Raw:
		return ".bpf", "application/octet-stream"
	case emit.Hex:
		return ".hex", "text/plain"
	case emit.Asm:
		return ".s", "text/plain"
	case emit.JSON:
		return ".json", "application/json"
	case emit.C:
		return ".h", "text/x-c"
	case emit.Go:
		return ".go", "text/x-go"
	case emit.JS:
		return ".js", "text/javascript"
	case emit.Python:
		return ".py", "text/x-python"
	}
	return "", "application/octet-stream"
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
	extension, mime := fileOf(q.Format)
	out := &Download{Name: base + extension, Type: mime, Text: string(data)}
	if q.Format == emit.Raw {
		out.Text, out.Binary = base64.StdEncoding.EncodeToString(data), true
	}
	return out, nil
}
