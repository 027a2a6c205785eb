# go: mvdan.cc/gofumpt@v0.8.0
# runs: $GOROOT/bin/go
printf 'package main\nfunc main() {\n\n\n println( "x" )\n}\n' >a.go; mkdir d; cp a.go d/b.go; printf 'module example.com/m\n\ngo 1.24\n' >go.mod
p -l . | grep -q a.go; p -d a.go || true; p -w .; p -l -extra .; p <a.go | grep -q println; echo bad >bad.go; fails p bad.go; fails p nothing.go; p -version; rm bad.go; fails p -nothing
