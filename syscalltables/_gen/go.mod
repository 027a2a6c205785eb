module github.com/seccompile/seccompile/syscalltables/_gen

go 1.26.0
