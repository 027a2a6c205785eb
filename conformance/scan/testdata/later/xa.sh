# program: /usr/bin/xa
# package: xa65
printf ' *=$1000\nstart lda #1\n sta $d020\n jmp start\n' >a.s; p -o a.o65 a.s; p -R -o r.o65 a.s || true; p -l labels -e errors -v a.s; p -C -O PETSCII a.s; printf '#include "b.i"\n#define X 2\n lda #X\n.byt "text"\n' >c.s; echo ' nop' >b.i; p -I. -DY=1 c.s; p nothing.s || true; echo ' bad bad' >bad.s; p bad.s || true; p --version; p -XMASM a.s || true; p -w a.s; p -bt 4096 a.s; printf '.bin 0,0,"b.i"\n' >bin.s; p bin.s || true
