# program: /usr/bin/rg
# package: ripgrep
# runs: /usr/bin/gzip /usr/bin/cat
mkdir -p tree/a/b; seq 100000 >tree/numbers; echo needle >tree/a/b/file; printf 'bin\0ary needle\n' >tree/binary; ln -s /nothing tree/dangling; ln -s a tree/link; echo ignored >tree/.gitignore; seq 1000 | gzip >tree/n.gz
p needle tree; p -c 99 tree/numbers; p -j 3 -i NEEDLE tree; p --mmap 777 tree/numbers; p --no-mmap 777 tree/numbers; p -L -u -u -u needle tree || true; p -z 777 tree/n.gz; p --pre cat needle tree/a || true; p -U 'a\nb' tree || true; p -w 7 <tree/numbers; p --files tree; p --sort path needle tree; p --json needle tree >/dev/null; p -P '^\d+$' tree/numbers >/dev/null || true; p --stats needle tree; p -r x -o needle tree; p --type-list >/dev/null; p -A 2 -B 2 --color always 500 tree/numbers >/dev/null; fails p nothing-at-all tree; fails p '(' tree; fails p x nothing; p --version; p -E utf-16 x tree || true; echo needle | p needle; p 7 tree/numbers | head -n 1
