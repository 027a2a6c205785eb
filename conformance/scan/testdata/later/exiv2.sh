# program: /usr/bin/exiv2
# package: exiv2
python3 - <<'END'
open("a.jpg", "wb").write(bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb004300" + "01" * 64 + "ffc0000b080001000101011100ffc40014000100000000000000000000000000000009ffc40014100100000000000000000000000000000000ffda0008010100003f0054dfffd9"))
END
p a.jpg || true; p -M 'set Exif.Image.Artist me' -M 'set Iptc.Application2.Caption x' -M 'set Xmp.dc.title t' a.jpg; p -pa a.jpg; p -pX a.jpg >x.xmp; p -pS a.jpg; p -c 'hello' a.jpg; p -M 'set Exif.Photo.DateTimeOriginal 2020:01:02 03:04:05' a.jpg; cp a.jpg b.jpg; p -r '%Y_:basename:' -F mv a.jpg; cp b.jpg a.jpg; p -a 1 ad a.jpg; p -et -ee -ex -f ex a.jpg || true; p -T mv a.jpg || true; cp b.jpg a.jpg; p -t -F mv a.jpg || true; p -k -M 'add Xmp.dc.subject y' b.jpg; p insert -ix b.jpg 2>/dev/null || true; p rm b.jpg; p fixiso b.jpg || true; p -g Artist b.jpg || true; cat b.jpg | p -pa - || true; p -V >/dev/null; p -h >/dev/null; p -Pkyct b.jpg || true; p -u -v pr b.jpg || true; fails p nothing.jpg; echo x >bad.jpg; fails p bad.jpg; printf 'set Exif.Image.Artist f\n' >cmds; p -m cmds b.jpg; chmod 400 b.jpg; p -M 'set Exif.Image.Artist g' b.jpg || true
