module github.com/seccompile/seccompile/words/_gen

go 1.26.0
