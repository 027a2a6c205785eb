# program: /usr/bin/chroma-v2
# package: golang-chroma-v2
printf 'package main\n\nfunc main() { println("x") }\n' >x.go; p x.go; p --html x.go >x.html; p -l python -f terminal256 <x.go; p --list >/dev/null; p --json x.go >/dev/null; p --svg x.go >/dev/null || true; p --html --html-styles -s monokai >/dev/null; p --version; fails p nothing.go; fails p --nothing; p --profile=prof x.go >/dev/null || true; p --trace x.go >/dev/null 2>&1 || true; p --fail x.go; seq 10000 | p -l plaintext >/dev/null
