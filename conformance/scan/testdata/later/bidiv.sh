# program: /usr/bin/bidiv
# package: bidiv
printf '\327\220\327\221 abc\n' >h; p h; p -j h; p -w 20 <h; p -p h; p -a h || true; printf 'text\033[1mbold\n' | p; seq 9999 | p >/dev/null; p h h >/dev/null; fails p nothing; COLUMNS=30 p h; p -l h || true; p -h 2>/dev/null || true; LC_ALL=C p h >/dev/null
