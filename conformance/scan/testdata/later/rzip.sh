# program: /usr/bin/rzip
# package: rzip
seq 200000 >f; cp f g; p -k f; p -d -k -o out f.rz; cmp f out; p -9 -P -k -o f9.rz f >/dev/null; p g; p -d g.rz; p -f -k f; fails p nothing; fails p -d f; fails p -k f; p -v -f -k f >/dev/null; p -L >/dev/null 2>&1 || true; : >empty; p empty || true; head -c 100 f.rz >cut.rz; p -d cut.rz 2>/dev/null || true; fails p
