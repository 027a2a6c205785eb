package oci

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// A filterJSON is a Filter as it lies in a runtime's state.
type filterJSON struct {
	ByteOrder        string   `json:"byteOrder"` // "little" or "big"
	Program          []byte   `json:"program"`   // an array of struct sock_filter in that order
	Flags            []string `json:"flags"`     // null: the profile does not say
	ListenerPath     string   `json:"listenerPath,omitempty"`
	ListenerMetadata string   `json:"listenerMetadata,omitempty"`
}

// MarshalJSON writes the filter for the time between create and start. Equal
// filters make equal text; where instructions come from is left out.
func (f *Filter) MarshalJSON() ([]byte, error) {
	if f.Program == nil || f.Program.Len() == 0 {
		return nil, errors.New("oci: the filter has no program (make one with Compile)")
	}
	j := filterJSON{ByteOrder: "little", ListenerPath: f.ListenerPath, ListenerMetadata: f.ListenerMetadata}
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

// UnmarshalJSON reads what [Filter.MarshalJSON] wrote. The program is one that a
// kernel accepts, or there is an error; that it is the one that was compiled is for
// the file system to ensure.
func (f *Filter) UnmarshalJSON(text []byte) error {
	var j filterJSON
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
		return fmt.Errorf("oci: filter: byte order %q (little or big)", j.ByteOrder)
	}
	p, err := cbpf.Decode(j.Program, order)
	if err != nil {
		return fmt.Errorf("oci: filter: %w", err)
	}
	var flags []loader.Flag
	if j.Flags != nil {
		flags = make([]loader.Flag, len(j.Flags))
	}
	for i, name := range j.Flags {
		if flags[i], err = loader.ParseFlag(name); err != nil {
			return fmt.Errorf("oci: filter: %w", err)
		}
	}
	*f = Filter{Program: p, Flags: flags, ListenerPath: j.ListenerPath, ListenerMetadata: j.ListenerMetadata}
	return nil
}
