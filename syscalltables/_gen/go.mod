module github.com/seccompile/seccompile/syscalltables/_gen

go 1.25.0
