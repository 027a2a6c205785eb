# build: ln -sf "$(go env GOROOT)/bin/go" "$PROGRAM"
# runs: $GOROOT/bin/gofmt $GOROOT/pkg/tool/*/*
export CC=nothing GOPATH="$PWD/gopath" GOCACHE="$PWD/cache" GOFLAGS=-p=2 GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0
p version; p env >/dev/null; p help build >/dev/null
mkdir m; cd m; p mod init example.com/m
printf 'package main\n\nfunc main() { println(f()) }\n\nfunc f() int { return 42 }\n' >main.go
printf 'package main\n\nimport "testing"\n\nfunc TestF(t *testing.T) {\n\tif f() != 42 {\n\t\tt.Fatal()\n\t}\n}\n' >main_test.go
p list ./... ; p fmt; p mod tidy; p mod edit -json; p env -w GOFOO=x 2>/dev/null || true; p doc fmt.Println >/dev/null 2>&1 || true
p build -n -o /dev/null . 2>/dev/null; fails p build ./nothing; fails p nothing; p clean -cache; p list -deps -json std >/dev/null; p telemetry 2>/dev/null || true
