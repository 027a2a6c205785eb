# go: golang.org/x/tools/gopls@v0.20.0
# runs: $GOROOT/bin/go $GOROOT/pkg/tool/*/*
export CC=nothing GOPATH="$PWD/gopath" GOCACHE="$PWD/cache" GOFLAGS=-p=2 GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0
mkdir m; cd m; printf 'module example.com/m\n\ngo 1.22\n' >go.mod; printf 'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\n// T is.\ntype T struct{ A int }\n\nfunc (t T) String() string { return fmt.Sprint(t.A) }\n\nfunc main() {\n\tvar s fmt.Stringer = T{1}\n\tfmt.Println(s)\n}\n' >main.go
p version; p check main.go || true; p references main.go:9:6; p workspace_symbol Str; p format -d main.go; p rename -w main.go:9:6 U; p semtok main.go >/dev/null; p codeaction main.go >/dev/null || true; p help >/dev/null; p api-json >/dev/null; p licenses >/dev/null; fails p check nothing.go; fails p nothing
start serve -listen "127.0.0.1:$PORT1" -debug "127.0.0.1:$PORT2"; await curl -sf -o /dev/null "http://127.0.0.1:$PORT2/"; p -remote "127.0.0.1:$PORT1" symbols main.go; p remote sessions >/dev/null 2>&1 || true; signal TERM; finish
p -profile.cpu=cpu -profile.mem=mem -profile.trace=tr check main.go || true
