#!/bin/bash -eu
# Builds the fuzz targets, in the builder of the Dockerfile next to this file: the programs
# go to $OUT. make test-fuzzers does the same without a container. With FUZZERS=REGEXP only
# those whose names match are built.
cd "$SRC/seccompile/tools"
if [[ ${SANITIZER:-address} == coverage ]]; then
  # Coverage is measured by go test, which needs no other harness.
  go run ./libfuzzer -list -match "${FUZZERS:-}" | while read -r package function name; do
    (cd .. && compile_native_go_fuzzer_v2 "$package" "$function" "$name")
  done
else
  go run ./libfuzzer -o "$OUT" -match "${FUZZERS:-}"
fi
