# Needs Go and make; race, conformance and bench need a C compiler as well.

GO        ?= go
GOTEST    ?= $(GO) test
FUZZTIME  ?= 30s
TESTFLAGS ?= -timeout 30m
RELEASES  := 1.25.8 1.26.11 1.27.4
PREFIX    ?= /usr/local
MODULE    := github.com/seccompile/seccompile
TARGETS   := linux/amd64 linux/386 linux/arm64 linux/arm linux/riscv64 linux/s390x \
             linux/ppc64le linux/mips64le linux/mipsle linux/loong64 \
             darwin/arm64 windows/amd64 js/wasm
GENERATED := $(wildcard syscalltables/z*.go internal/symbols/z*.go)
LINT       = $$($(GO) tool -modfile=tools/go.mod -n staticcheck)
# Directories whose tests contain a pattern: $(call with,PATTERN).
with       = $$(grep -rlE --include='*_test.go' --exclude-dir=conformance --exclude-dir=tools $(1) . | xargs -n1 dirname | sort -u)

help: ## show this text
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

build: ## build bin/seccompile
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/seccompile ./cmd/seccompile

static: ## build bin/seccompile stripped, as it is released
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/seccompile ./cmd/seccompile

web: ## build the playground into web/dist, and print its sizes (Node.js and npm)
	cd tools/release && CGO_ENABLED=0 $(GO) run ./page

test-web: web ## test the playground in headless Chromium, beside the command (chromium)
	cd web && npm run check
	CGO_ENABLED=0 $(GO) build -trimpath -tags webpage -o web/dist/seccompile ./cmd/seccompile
	cd web && npm test

test-web-firefox: web ## test the playground in headless Firefox as well (firefox-esr)
	CGO_ENABLED=0 $(GO) build -trimpath -tags webpage -o web/dist/seccompile ./cmd/seccompile
	cd web && BROWSER=firefox npm test

SHARE = $(DESTDIR)$(PREFIX)/share

install: static ## install the stripped command, its manual pages and completions under PREFIX=/usr/local
	install -D bin/seccompile $(DESTDIR)$(PREFIX)/bin/seccompile
	umask 022 && bin/seccompile man -o $(SHARE)/man/man1
	umask 022 && mkdir -p $(SHARE)/bash-completion/completions $(SHARE)/fish/vendor_completions.d $(SHARE)/zsh/site-functions
	umask 022 && bin/seccompile completion bash >$(SHARE)/bash-completion/completions/seccompile
	umask 022 && bin/seccompile completion fish >$(SHARE)/fish/vendor_completions.d/seccompile.fish
	umask 022 && bin/seccompile completion zsh >$(SHARE)/zsh/site-functions/_seccompile

test: ## run every test of the library and the command: some five minutes on two processors
	@start=$$(date +%s); CGO_ENABLED=0 $(GOTEST) $(TESTFLAGS) ./...; status=$$?; \
	  echo "make $@: $$(($$(date +%s) - start)) s"; exit $$status

# The command's scripts have no random cases.
LONG = $$(printf '%s\n' $(call with,'gen\.Many|SECCOMPILE_LONG') | grep -vxF ./cmd/seccompile)

test-long: export SECCOMPILE_LONG ?= 1
test-long: ## run the tests of random cases with thousands where test has hundreds (SECCOMPILE_LONG=N for N times as many)
	CGO_ENABLED=0 $(GOTEST) -timeout 60m $(LONG)
	CGO_ENABLED=0 $(GOTEST) -timeout 60m -run '^TestVectors$$' ./cmd/seccompile

# Those that need no kernel of Linux, no terminal, and no program but go.
PURE = $$($(GO) list ./... | grep -vE '^$(MODULE)(/(cmd|examples|loader|oci|internal/(agent|fleet|reexec|watch))(/.*)?)?$$')

test-pure: ## run the shorter tests that any system can run: of what compiles and proves
	CGO_ENABLED=0 $(GOTEST) -short $(PURE)

test-go: ## build, vet and run the shorter tests with each supported release of Go, which Go fetches
	@set -e; for v in $(RELEASES); do export GOTOOLCHAIN=go$$v CGO_ENABLED=0; $(GO) version; \
	  $(GO) build ./...; $(GO) vet ./...; $(GOTEST) $(TESTFLAGS) -short ./...; done

# Not those that neither start a goroutine nor are called by several.
RACE := ./arch ./artifact ./cbpf ./examples/... ./internal/advisory ./internal/agent ./internal/compile ./internal/fleet \
        ./internal/record ./internal/reexec ./internal/watch ./language/... ./loader ./oci ./policy

# Of the command, those that supervise other processes or read while others write.
RACECMD := 'Kernel|Live|Lock|Record|Survey|Scripts/(agent|denials|dump|pipe|record|run|terminal|trace)'

race: ## run the shorter tests of concurrent packages under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GOTEST) $(TESTFLAGS) -short -race $(RACE)
	CGO_ENABLED=1 $(GOTEST) $(TESTFLAGS) -short -race -run $(RACECMD) ./cmd/seccompile

check: format vet lint lint-workflows cross fresh generators tools api-check test ## all that must hold before a change is offered

cross: ## build every package for every target
	@set -e; for t in $(TARGETS); do echo "build $$t"; \
	  CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build ./...; done

vet: ## run go vet, also as three other targets see the sources
	CGO_ENABLED=0 $(GO) vet ./...
	@set -e; for t in linux/s390x darwin/arm64 js/wasm; do echo "vet $$t"; \
	  CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) vet ./...; done

lint: ## run staticcheck, also as darwin sees the sources
	CGO_ENABLED=0 $(LINT) ./...
	s=$(LINT) && CGO_ENABLED=0 GOOS=darwin $$s -checks inherit,-U1000,-SA4023 ./... # what only Linux uses is in use; elsewhere loading always fails
	cd tools && CGO_ENABLED=0 $(GO) tool staticcheck ./...
	cd tools/release && CGO_ENABLED=0 $(GO) tool -modfile=../go.mod staticcheck ./...

lint-workflows: ## run actionlint on the workflows of the hosted CI
	$(GO) tool -modfile=tools/actionlint/go.mod actionlint -shellcheck= -pyflakes= .github/workflows/*.yml

format: ## fail when a file is not gofmt-clean
	@f=$$(gofmt -l $$(find . -name '*.go' -not -path './.cache/*')); \
	  [ -z "$$f" ] || { echo "not gofmt-clean: $$f" >&2; exit 1; }

generate: ## regenerate the tables of syscalls and of constants
	$(GO) generate ./...

fresh: ## fail when a generated file is stale
	@before=$$(cat $(GENERATED) | cksum); $(GO) generate ./...; after=$$(cat $(GENERATED) | cksum); \
	  [ "$$before" = "$$after" ] || { echo "generated files were stale and are fresh now: commit them" >&2; exit 1; }

tables: ## take over the calls and constants of the newest kernel headers that Debian has: review and commit the difference (gcc)
	cd conformance && $(GO) run ./tables

tables-stale: ## print what make tables would change, and fail if that is anything (gcc)
	cd conformance && $(GO) run ./tables -check

generators: ## test what regenerates the tables
	@set -e; for d in syscalltables internal/symbols; do ( cd $$d/_gen && CGO_ENABLED=0 $(GO) vet . && CGO_ENABLED=0 $(GOTEST) . ); done

tools: ## vet and test the tools of this project
	@set -e; for d in tools tools/release; do ( cd $$d && CGO_ENABLED=0 $(GO) vet ./... && CGO_ENABLED=0 $(GOTEST) ./... ); done

# KEY=cosign.key or a key service's address signs it as well, with cosign from the path; OUT=DIR names another directory.
release: OUT ?= bin/$(VERSION)
release: ## make what is released as VERSION=v0.1.0, in bin/VERSION: archives, packages, SBOMs, provenance, checksums
	$(if $(VERSION),,$(error no version: make release VERSION=v0.1.0))
	cd tools/release && $(GO) run . build -version '$(VERSION)' -o '$(abspath $(OUT))'
	$(if $(KEY),cd tools/release && $(GO) run . sign -key '$(if $(findstring ://,$(KEY)),$(KEY),$(abspath $(KEY)))' '$(abspath $(OUT))')

test-release: ## make a release twice and compare, install its packages, tamper with it (root; debootstrap lintian rpm qemu-user)
	$(MAKE) -C conformance release

test-clone: ## set up, run and test a fresh clone in a new Debian: as long as make test, and some minutes (root; debootstrap)
	$(MAKE) -C conformance clone

# COUNT=40 draws fewer, SEED=2 others, MATCH='dispatch.go|(*layouter)' those of some
# files or functions, and MUTATE=policy those of some packages.
mutants: ## change the sources in 600 places, one at a time: each time a test must fail
	cd tools && $(GO) run ./mutants $(if $(COUNT),-count $(COUNT)) $(if $(SEED),-seed $(SEED)) $(if $(MATCH),-match '$(MATCH)') $(MUTATE)

api: ## rewrite api.txt, the list of exported names
	cd tools && $(GO) run ./api -write

api-check: ## fail when api.txt is stale, lost lines that CHANGELOG.md keeps quiet about (BASE=revision: since then), or has too many names
	cd tools && $(GO) run ./api -base '$(BASE)'
	CGO_ENABLED=0 $(GO) test -count=1 -run '^TestExportedNames$$' -v .

golden: ## rewrite the golden files from what the code does now
	CGO_ENABLED=0 $(GO) test $(call with,'flag\.Bool..update') -update
	CGO_ENABLED=0 $(GO) test ./internal/numbers -update # again, after the others

fuzz: ## fuzz every target, each for FUZZTIME=30s, and print the executions of each
	@set -e; mkdir -p .cache; : >.cache/fuzz; for p in $(call with,'^func Fuzz'); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do echo "fuzz $$p $$f"; \
	    CGO_ENABLED=0 $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$p >.cache/fuzz.out || { cat .cache/fuzz.out; exit 1; }; \
	    tail -n 3 .cache/fuzz.out; grep elapsed: .cache/fuzz.out | tail -n 1 | sed "s|.*elapsed: \([^,]*\), execs: \([0-9]*\).*|$$p $$f: \2 executions in \1|" >>.cache/fuzz; done; done; \
	  cat .cache/fuzz

# FUZZERS=REGEXP builds some. Debian: clang libclang-rt-dev.
test-fuzzers: ## build the fuzz targets as OSS-Fuzz does, and run each for a moment
	cd tools && SECCOMPILE_FUZZERS='$(or $(FUZZERS),.)' $(GOTEST) -count=1 -timeout 60m -v -run 'PlantedFault|BuildScript' ./libfuzzer

bench: ## run the benchmarks of the library
	CGO_ENABLED=0 $(GO) test -run '^$$' -bench . -benchmem ./...

cover: ## measure how much of the library its tests execute
	@mkdir -p .cache
	CGO_ENABLED=0 $(GO) test -coverpkg=./... -coverprofile=.cache/cover.out ./...
	$(GO) tool cover -func=.cache/cover.out | tail -n 1

demo: build ## run a command under Docker's default profile: one call allowed, one denied
	@echo '$$ seccompile run -- uname -sm'
	@bin/seccompile run -- uname -sm
	@echo '$$ seccompile run -- unshare --user true'
	@if bin/seccompile run -- unshare --user true; then echo 'demo: unshare was not denied' >&2; exit 1; fi

fleet: ## print what filters cost a fleet of 100,000 nodes, as docs/FLEET.md shows it
	CGO_ENABLED=0 $(GO) run ./internal/fleet

numbers: ## write docs/NUMBERS.md, with times and sizes measured on this machine
	CGO_ENABLED=0 $(GO) run ./internal/numbers -measure

conformance: ## compare with libseccomp, gVisor and others, and run in bubblewrap and crun
	$(MAKE) -C conformance test

# MATCH=docker counts some inputs, UPDATE=1 rewrites what is committed.
counts: ## count the instructions that compiling takes, beside libseccomp's, and compare with those committed (needs valgrind)
	$(MAKE) -C conformance counts

# RECORDINGS=5 and RUNS=40 (of slow programs a quarter): how often. PROGRAM=redis for one.
test-programs: ## record real programs and run them under their recordings, also beside eight loops: no run may fail
	cd conformance && SECCOMPILE_RECORDINGS=$(or $(RECORDINGS),5) SECCOMPILE_RUNS=$(or $(RUNS),40) \
	  $(GOTEST) -count=1 -timeout 12h -v -run 'Recordings/$(PROGRAM)' ./programs

smt: ## ask z3 and cvc5 about 3,000 pairs of filters and policies: may they contradict the proof?
	$(MAKE) -C conformance smt

# MIRROR=http://... names a Debian mirror if this machine's apt has none, UPDATE=1
# fetches kernels anew, KERNELS_FLAGS=-v logs everything, -least N says how many guests
# must run, -patience 10m how long a download may take.
KERNELS = cd conformance && $(GO) run ./kernels -mirror '$(MIRROR)' $(if $(UPDATE),-update) $(KERNELS_FLAGS)

test-kernels: ## boot kernels of every architecture in qemu and judge calls on them (ARCH=s390x,arm64 for some, of each of which one must run)
	$(KERNELS) -guests '$(ARCH)'

test-kernels-be: ## the same on two more big-endian kernels, which are built first
	$(KERNELS) -guests ppc64,mips64

test-kernels-selftest: ## break filters on purpose and see that the kernels of three guests show it
	$(KERNELS) -selftest

clean: ## remove what the other targets made
	rm -rf bin .cache web/dist web/node_modules web/test/out internal/webpage/site

.PHONY: help build static web test-web test-web-firefox install test test-long test-pure test-go race check cross vet lint lint-workflows format generate fresh tables tables-stale generators tools mutants release test-release test-clone api api-check golden fuzz test-fuzzers bench cover demo fleet numbers conformance counts smt test-programs test-kernels test-kernels-be test-kernels-selftest clean
