# go: honnef.co/go/tools/cmd/staticcheck@v0.6.1
# runs: $GOROOT/bin/go $GOROOT/pkg/tool/*/*
export CC=nothing GOPATH="$PWD/gopath" GOCACHE="$PWD/cache" GOFLAGS=-p=2 GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0
mkdir m; cd m; printf 'module example.com/m\n\ngo 1.22\n' >go.mod; printf 'package main\n\nimport "errors"\n\nfunc main() {\n\tx := 1\n\tx = 2\n\tprintln(errors.New("Bad.") == nil, x)\n}\n\nfunc unused() {}\n' >main.go
p ./... | grep -q unused; p -f json ./... >/dev/null || true; p -f stylish -checks all . || true; p ./... >/dev/null || true; p -explain SA4006 >/dev/null; p -list-checks >/dev/null; p -version; printf 'a: GOOS=linux\nb: GOOS=windows\n' | p -matrix ./... || true; p -f binary ./... >run || true; p -merge run || true; p -tests=false -debug.cpuprofile=cpu -debug.measure-analyzers=times . >/dev/null || true; p -debug.trace trace . >/dev/null || true; fails p ./nothing; fails p -nothing; printf 'package main\nfunc {' >bad.go; fails p .
