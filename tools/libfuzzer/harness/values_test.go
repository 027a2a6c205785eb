package harness

import (
	"bytes"
	"reflect"
	"testing"
)

func TestValues(t *testing.T) {
	for _, tt := range []struct {
		values []any
		input  string
	}{
		{[]any{[]byte("abc")}, "abc"},
		{[]any{"abc"}, "abc"},
		{[]any{[]byte("abc"), uint8(7)}, "\x07abc"},
		{[]any{"abc", uint16(0x102), true}, "\x02\x01\x01abc"},
		{[]any{[]byte("ab"), "c", "de"}, "\x02\x00ab\x01\x00cde"},
		{[]any{int8(-2), uint32(1), int(-1), uint64(3)}, "\xfe\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x03\x00\x00\x00\x00\x00\x00\x00"},
		{[]any{false, ""}, "\x00"},
	} {
		if got := encode(tt.values); string(got) != tt.input {
			t.Errorf("encode(%v): %q, want %q", tt.values, got, tt.input)
		}
		types := make([]reflect.Type, len(tt.values))
		for i, v := range tt.values {
			types[i] = reflect.TypeOf(v)
		}
		if got := encode(decode([]byte(tt.input), types)); string(got) != tt.input {
			t.Errorf("%q becomes %q", tt.input, got)
		}
		// All bytes are an input, short ones too.
		for n := range len(tt.input) {
			if got := decode([]byte(tt.input)[:n], types); len(got) != len(types) {
				t.Errorf("%q: %v", tt.input[:n], got)
			}
		}
	}
}

// A length that the input does not have takes what there is.
func TestLongLength(t *testing.T) {
	got := decode([]byte("\xff\xffabc"), []reflect.Type{reflect.TypeFor[[]byte](), reflect.TypeFor[[]byte]()})
	if !bytes.Equal(got[0].([]byte), []byte("abc")) || len(got[1].([]byte)) != 0 {
		t.Errorf("%q", got)
	}
}
