// Package harness runs a fuzz target of package testing under libFuzzer. A test file that
// command libfuzzer adds to the target's package calls Serve.
package harness

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
)

// SeedsVariable names the directory that a program writes its target's seeds to, if it is
// in the environment.
const SeedsVariable = "LIBFUZZER_SEEDS"

// An input is the values of a target's arguments one after another: numbers in little
// endian, each text but the last after its length in two bytes. Any bytes are an input:
// what is missing is zero, and the last text is all that remains.

// decode returns the values that an input stands for.
func decode(input []byte, types []reflect.Type) []any {
	take := func(n int) []byte {
		n = min(n, len(input))
		part := input[:n:n]
		input = input[n:]
		return part
	}
	number := func(size int) uint64 {
		var b [8]byte
		copy(b[:], take(size))
		return binary.LittleEndian.Uint64(b[:])
	}
	last := -1 // text
	for i, t := range types {
		if isText(t) {
			last = i
		}
	}
	order := inputOrder(types, last)
	values := make([]any, len(types))
	for _, i := range order {
		v := reflect.New(types[i]).Elem()
		switch kind := types[i].Kind(); {
		case isText(types[i]):
			n := len(input)
			if i != last {
				n = int(number(2))
			}
			v.Set(reflect.ValueOf(take(n)).Convert(types[i]))
		case kind == reflect.Bool:
			v.SetBool(number(1)&1 == 1)
		case v.CanInt():
			bits := 8 * int(types[i].Size())
			v.SetInt(int64(number(bits/8)) << (64 - bits) >> (64 - bits))
		case v.CanUint():
			v.SetUint(number(int(types[i].Size())))
		default:
			panic(fmt.Sprintf("libfuzzer: cannot make a %v from bytes", types[i]))
		}
		values[i] = v.Interface()
	}
	return values
}

// encode returns the input that stands for values.
func encode(values []any) []byte {
	types, last := make([]reflect.Type, len(values)), -1
	for i, v := range values {
		if types[i] = reflect.TypeOf(v); isText(types[i]) {
			last = i
		}
	}
	var b []byte
	for _, i := range inputOrder(types, last) {
		v := reflect.ValueOf(values[i])
		switch {
		case isText(types[i]):
			text := v.Convert(reflect.TypeFor[[]byte]()).Bytes()
			if i != last {
				text = text[:min(len(text), math.MaxUint16)]
				b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
			}
			b = append(b, text...)
		case v.Kind() == reflect.Bool:
			b = append(b, map[bool]byte{true: 1}[v.Bool()])
		default:
			u := v.Convert(reflect.TypeFor[uint64]()).Uint()
			b = append(b, binary.LittleEndian.AppendUint64(nil, u)[:types[i].Size()]...)
		}
	}
	return b
}

// inputOrder returns the order of the arguments in an input: the last text is at the end.
func inputOrder(types []reflect.Type, last int) []int {
	var order []int
	for i := range types {
		if i != last {
			order = append(order, i)
		}
	}
	if last >= 0 {
		order = append(order, last)
	}
	return order
}

func isText(t reflect.Type) bool {
	return t.Kind() == reflect.String || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}
