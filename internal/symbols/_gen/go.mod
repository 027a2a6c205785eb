module github.com/seccompile/seccompile/internal/symbols/_gen

go 1.25.0
