# program: /usr/bin/xz
# package: xz-utils
seq 100000 >f; p -k -T2 --block-size=100000 f; p -t f.xz; p -l f.xz; p -lvv f.xz >/dev/null; p -dc -T2 f.xz | cmp - f; p -1 -c f >g.xz; p --format=lzma -k f; p -9e -c <f | p -dc | cmp - f; mv f.xz h.xz; p -d h.xz; cmp f h; fails p -d f; fails p nothing; fails p -dc h 2>/dev/null; p --memlimit=10M -T1 -c f >/dev/null 2>&1 || true; truncate -s 5M sparse; p -f -S .y sparse; p -d -S .y sparse.y; p --robot --info-memory; p -H >/dev/null; p -v -k -f f 2>/dev/null; start -9 -k -f h; sleep 0.2; signal USR1; signal INT; finish; printf 'f\n' | p --files -k -f
