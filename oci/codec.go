package oci

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/cbpf"
)

// A savedFilter is the JSON of a Filter.
type savedFilter struct {
	ByteOrder        string   `json:"byteOrder"` // "little" or "big"
	Program          []byte   `json:"program"`   // an array of struct sock_filter in that order
	Flags            []string `json:"flags"`     // null: the profile does not say
	ListenerPath     string   `json:"listenerPath,omitempty"`
	ListenerMetadata string   `json:"listenerMetadata,omitempty"`
}

// MarshalJSON implements [json.Marshaler]. Runtimes keep the text from create to start.
// Equal filters make equal text; it does not say which rules instructions come from.
func (f Filter) MarshalJSON() ([]byte, error) {
	if f.Program == nil || f.Program.Len() == 0 {
		return nil, errors.New("oci: the filter has no program (make one with Compile)")
	}
	j := savedFilter{ByteOrder: "little", ListenerPath: f.ListenerPath, ListenerMetadata: f.ListenerMetadata}
	if f.Program.Order() == binary.BigEndian {
		j.ByteOrder = "big"
	}
	j.Program, _ = f.Program.AppendBinary(nil) // the error is always nil
	if f.Flags != nil {
		j.Flags = make([]string, len(f.Flags))
	}
	for i, flag := range f.Flags {
		j.Flags[i] = flag.String()
	}
	return json.Marshal(&j)
}

// UnmarshalJSON implements [json.Unmarshaler]. It refuses programs that a kernel would
// refuse. It cannot know whether the program is the one that was compiled: protect the
// file.
func (f *Filter) UnmarshalJSON(text []byte) error {
	var j savedFilter
	if err := json.Unmarshal(text, &j); err != nil {
		return fmt.Errorf("oci: filter: %w", err)
	}
	var order binary.ByteOrder
	switch j.ByteOrder {
	case "little":
		order = binary.LittleEndian
	case "big":
		order = binary.BigEndian
	default:
		return fmt.Errorf("oci: filter: byte order %q (expected little or big)", j.ByteOrder)
	}
	p, err := cbpf.Decode(j.Program, order)
	if err != nil {
		return fmt.Errorf("oci: filter: %w", err)
	}
	var flags []cbpf.Flag
	if j.Flags != nil {
		flags = make([]cbpf.Flag, len(j.Flags))
	}
	for i, name := range j.Flags {
		if flags[i], err = cbpf.ParseFlag(name); err != nil {
			return fmt.Errorf("oci: filter: %w", err)
		}
	}
	*f = Filter{Program: p, Flags: flags, ListenerPath: j.ListenerPath, ListenerMetadata: j.ListenerMetadata}
	return nil
}
