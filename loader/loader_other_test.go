//go:build !linux

package loader_test

import (
	"context"
	"errors"
	"testing"

	"github.com/seccompile/seccompile/loader"
)

func TestEverythingIsUnsupported(t *testing.T) {
	l, n := new(loader.Listener), new(loader.Notification)
	_, probe := loader.Probe()
	made, install := loader.InstallListener(nil, loader.Options{})
	opened, open := loader.OpenListener(nil)
	filters, dump := loader.Dump(t.Context(), 1)
	_, receive := l.Receive(t.Context())
	_, addFile := n.AddFile(nil, loader.AddFileOptions{})
	_, memory := n.ReadMemory(nil, 0)
	_, str := n.ReadString(0, 1)
	for name, err := range map[string]error{
		"Install":         loader.Install(nil, loader.Options{}),
		"InstallListener": install,
		"OpenListener":    open,
		"Probe":           probe,
		"Dump":            dump,
		"SyncWakeUp":      l.SyncWakeUp(),
		"Receive":         receive,
		"Serve":           l.Serve(t.Context(), func(context.Context, *loader.Notification) {}, loader.ServeOptions{}),
		"Return":          n.Return(0),
		"Fail":            n.Fail(1),
		"Continue":        n.Continue(),
		"AddFile":         addFile,
		"Valid":           n.Valid(),
		"ReadMemory":      memory,
		"ReadString":      str,
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if made != nil || opened != nil || filters != nil {
		t.Error("a listener or filters without a kernel")
	}
}
