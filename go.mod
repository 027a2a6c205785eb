module github.com/seccompile/seccompile

go 1.25.0

require (
	github.com/google/go-cmp v0.6.0
	github.com/moby/profiles/seccomp v0.2.4
	github.com/opencontainers/runtime-spec v1.3.0
	github.com/rogpeppe/go-internal v1.14.1
	github.com/spf13/cobra v1.9.1
	github.com/spf13/pflag v1.0.7
	go.yaml.in/yaml/v3 v3.0.4
	golang.org/x/arch v0.30.0
	golang.org/x/net v0.31.0
	golang.org/x/sys v0.45.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	golang.org/x/tools v0.26.0 // indirect
)
