//go:build !linux

package loader_test

import (
	"errors"
	"testing"

	"github.com/seccompile/seccompile/loader"
)

func TestEverythingIsUnsupported(t *testing.T) {
	_, probe := loader.Probe()
	file, listener := loader.InstallListener(nil, loader.Options{})
	for name, err := range map[string]error{
		"Install":         loader.Install(nil, loader.Options{}),
		"InstallListener": listener,
		"Probe":           probe,
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if file != nil {
		t.Error("a listener without a kernel")
	}
}
