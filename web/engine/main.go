//go:build js && wasm

// Command engine is the playground's engine in a browser: package playground behind one function,
// seccompile, from a question to its reply, both JSON. It runs in a worker: see src/worker.ts.
package main

import (
	"syscall/js"

	"github.com/seccompile/seccompile/internal/playground"
)

// releaseVersion is set by the linker; "" is a development version.
var releaseVersion string

func main() {
	engine := playground.New(releaseVersion)
	js.Global().Set("seccompile", js.FuncOf(func(_ js.Value, args []js.Value) any {
		question := ""
		if len(args) > 0 && args[0].Type() == js.TypeString {
			question = args[0].String()
		}
		return string(engine.Answer([]byte(question)))
	}))
	select {} // the function stays
}
