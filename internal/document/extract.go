package document

// Extract returns the document of one value, without the members for which leave holds. Its
// places are those in the text that v is from.
func (v Value) Extract(leave func(key, val Value) bool) *Document {
	x := extraction{leave: leave}
	x.value(v)
	d, err := Translated(x.text, x.spots)
	if err != nil {
		panic("BUG: a part of a document is not one: " + err.Reason)
	}
	return d
}

type extraction struct {
	leave func(key, val Value) bool
	text  []byte
	spots []Spot
	p     positioner
}

func (x *extraction) value(v Value) {
	line, column := v.position(&x.p)
	x.spots = append(x.spots, Spot{int32(line), int32(column)})
	switch v.Kind() {
	case Object:
		x.text = append(x.text, '{')
		for key, val := range v.Members() {
			if x.leave(key, val) {
				continue
			}
			x.comma()
			x.value(key)
			x.text = append(x.text, ':')
			x.value(val)
		}
		x.text = append(x.text, '}')
	case Array:
		x.text = append(x.text, '[')
		for _, elem := range v.Elements() {
			x.comma()
			x.value(elem)
		}
		x.text = append(x.text, ']')
	case String:
		x.text = append(append(append(x.text, '"'), v.raw()...), '"')
	default:
		x.text = append(x.text, v.raw()...)
	}
}

// comma separates a value from the one before it in the same container.
func (x *extraction) comma() {
	if last := x.text[len(x.text)-1]; last != '{' && last != '[' {
		x.text = append(x.text, ',')
	}
}
