# program: /usr/bin/soundstretch
# package: soundstretch
{ printf 'RIFF\044\377\000\000WAVEfmt \020\000\000\000\001\000\001\000\100\037\000\000\200\076\000\000\002\000\020\000data\000\377\000\000'; head -c 65280 /dev/urandom; } >in.wav
p in.wav out.wav -tempo=+10 -pitch=-2; p in.wav out2.wav -rate=5 -quick; p in.wav -bpm || true; p in.wav stdout -speech >/dev/null; p stdin out3.wav <in.wav; fails p nothing out.wav; p in.wav || true; p in.wav out.wav -nothing || true
