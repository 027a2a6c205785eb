# program: /usr/bin/calcurse
# package: calcurse
mkdir data; printf '11/30/2026 @ 10:00 -> 11/30/2026 @ 11:00 |meeting\n' >data/apts; printf '[1] do\n' >data/todo
p -D data -Q --from 11/30/2026 | grep -q meeting; p -D data -t; p -D data -n || true; p -D data -x >out.ics; p -D data -i out.ics; p -D data -a -d 3; p -D data -G; p -D data -P --filter-type todo; p -v; fails p -D data -i nothing; fails p --nothing; p -D data --daemon & sleep 2; [ ! -e data/.daemon.pid ] || kill "$(cat data/.daemon.pid)"; wait; p -D data --status || true
