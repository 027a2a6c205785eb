package runtimes_test

import (
	"slices"
	"testing"

	"github.com/seccompile/seccompile/internal/runtimes"
	"github.com/seccompile/seccompile/syscalltables"
)

func TestNamesExist(t *testing.T) {
	for _, consumer := range append(runtimes.Consumers(), "k8s", "crio") {
		list, ok := runtimes.For(consumer)
		if !ok || len(list) == 0 {
			t.Errorf("%s: nothing", consumer)
		}
		for _, r := range list {
			names := r.Names()
			if len(slices.Compact(slices.Clone(names))) != len(names) {
				t.Errorf("%s: a name twice: %q", r.Name, names)
			}
			for _, name := range names {
				if _, ok := syscalltables.Lookup(name); !ok {
					t.Errorf("%s: no call %s", r.Name, name)
				}
			}
		}
	}
	if _, ok := runtimes.For("dokcer"); ok {
		t.Error("an unknown consumer is known")
	}
}
