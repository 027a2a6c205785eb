package policy

import (
	"errors"
	"regexp"
	"testing"
)

func TestErrors(t *testing.T) {
	errs := Errors{
		{Pointer: "/syscalls/3/args/0/index", Reason: "6: a syscall has only 6 arguments (use 0 to 5)", Line: 7, Column: 3},
		{Reason: "end of input", Line: 2, Column: 5},
		{Reason: "no filter"},
	}
	const want = "policy: /syscalls/3/args/0/index: 6: a syscall has only 6 arguments (use 0 to 5)\npolicy: 2:5: end of input\npolicy: no filter"
	if got := errs.Error(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var first *Error
	if !errors.As(error(errs), &first) || first != errs[0] {
		t.Errorf("errors.As gives %v", first)
	}
	for _, e := range errs {
		if !errors.Is(errs, e) {
			t.Errorf("errors.Is does not find %v", e)
		}
	}
	if err := (Errors{}).orNil(); err != nil {
		t.Errorf("no problem is an error: %v", err)
	}
}

func TestKindsAreIdentifiers(t *testing.T) {
	identifier := regexp.MustCompile("^[a-z]+(-[a-z]+)*$")
	seen := map[string]bool{}
	for _, k := range warningKinds {
		if !identifier.MatchString(string(k)) || seen["warning "+string(k)] {
			t.Errorf("kind %q", k)
		}
		seen["warning "+string(k)] = true
	}
	for _, k := range errorKinds {
		if !identifier.MatchString(string(k)) || seen["error "+string(k)] {
			t.Errorf("kind %q", k)
		}
		seen["error "+string(k)] = true
	}
}

func TestWarningText(t *testing.T) {
	for _, tt := range []struct {
		w    Warning
		want string
	}{
		{Warning{Kind: Overlap, Pointer: "/syscalls/1", Message: "words"}, "/syscalls/1: words (overlap)"},
		{Warning{Kind: NoBound, Message: "words"}, "words (no-bound)"},
	} {
		if got := tt.w.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
