# program: /usr/bin/qrencode
# package: qrencode
p -o a.png text; p -t SVG -o - text | grep -q svg; p -t UTF8 text; p -t ANSI -m 1 <"/etc/hostname" >/dev/null; seq 300 | p -t EPS -o a.eps -l H -s 5; p -t ASCII -8 -v 10 x >/dev/null; p -S -v 4 -o s.png -r /etc/hostname || true; p -M -v 2 -t ASCII 1 || true; fails p -o /nothing/x a; fails p -t NOTHING x; fails p -r nothing; p -V; p --foreground=ff0000 --background=00ff00 -o c.png x; head -c 10000 /dev/zero | tr '\0' x | p -o big.png 2>/dev/null || true
