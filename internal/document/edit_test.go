package document

import "testing"

func TestRewriteKeepsTheLayout(t *testing.T) {
	for _, tt := range []struct {
		text  string
		drop  []int
		added []string
		want  string
	}{
		{`[ ]`, nil, nil, `[ ]`},
		{`[]`, nil, []string{"1", "2"}, `[1, 2]`},
		{`[1]`, nil, []string{"2"}, `[1,2]`},
		{"[\n\t1\n]", nil, []string{"2", "3"}, "[\n\t1,\n\t2,\n\t3\n]"},
		{"[1,  2,\n3 ]", []int{0}, nil, "[2,\n3 ]"},
		{"[1,  2,\n3 ]", []int{1, 2}, nil, "[1 ]"},
		{"[1,  2,\n3 ]", []int{2}, []string{"4"}, "[1,  2,\n4 ]"},
		{"[ 1,  2 ]", []int{0, 1}, nil, "[  ]"},
		{"[ 1,  2 ]", []int{0, 1}, []string{"3"}, "[ 3 ]"},
		{`{"a": 1, "b": [2] , "c": "d"}`, []int{1}, []string{`"e": 5`}, `{"a": 1, "c": "d" , "e": 5}`},
	} {
		d, err := Parse([]byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		got := string(d.Apply(d.Root().Rewrite(func(i int) bool {
			for _, j := range tt.drop {
				if i == j {
					return true
				}
			}
			return false
		}, tt.added)))
		if got != tt.want {
			t.Errorf("%s without %v and with %q is %s, want %s", tt.text, tt.drop, tt.added, got, tt.want)
		}
		if _, err := Parse([]byte(got)); err != nil {
			t.Errorf("%s: %v", got, err)
		}
	}
}

// An edit inside a part that goes is left out.
func TestApply(t *testing.T) {
	d, err := Parse([]byte(`{"é": [1, "x"], "b": 2}`))
	if err != nil {
		t.Fatal(err)
	}
	list, b := d.Lookup("/é"), d.Lookup("/b")
	var key Value
	for k := range d.Root().Members() {
		key = k
	}
	got := string(d.Apply([]Edit{b.Replace("3"), d.Lookup("/é/1").Replace("4"), key.Rename(`"c`), list.Replace("null")}))
	if want := `{"é": null, "\"c": 3}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
