# program: /usr/bin/make
# package: make
# runs: /usr/bin/dash /usr/bin/cat /usr/bin/cp /usr/bin/touch /usr/bin/false /usr/bin/sleep /usr/bin/echo
cat >Makefile <<'END'
all: a b sub
x := $(shell echo shell; cat /etc/hostname)
-include nothing.mk
include gen.mk
gen.mk: ; echo 'y = 1' >$@
a: in ; cp in a
b: a ; sleep 0.1; cat a >b
sub: ; $(MAKE) -C d
bad: ; false
.INTERMEDIATE: t
%.o: %.c ; cp $< $@
t.c: ; touch t.c
wild: ; echo $(wildcard *.c) $(abspath a) $(realpath in) $(file >out,text) $(file <in)
long: ; sleep 30
END
mkdir d; printf 'all: ; @echo sub\n' >d/Makefile; echo in >in
p -j 3 -O; p -n; p -q || true; p -t; p -B -j 2 -l 5; p wild; p t.o; p -p -q >/dev/null || true; fails p bad; fails p nothing; p -k bad a || true; p -i bad; p --debug=a -n all >/dev/null; p -f - <<END
all: ; @echo stdin
END
p -s -w -C d; p --version >/dev/null; p -r -R -e all; start long; sleep 0.5; signal TERM; finish; fails p -C nothing; p SHELL=/bin/sh --trace a; p -W in -n
