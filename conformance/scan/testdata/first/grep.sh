# program: /usr/bin/grep
# package: grep
seq 100000 >numbers
mkdir -p tree/a/b
echo needle >tree/a/b/file
printf 'bin\0ary needle\n' >tree/binary
ln -s /nothing tree/dangling
p -c 99 numbers
p -E '(1|2)+7$' numbers >/dev/null
p -P '^\d{3}$' numbers >/dev/null
p -r needle tree | p -q file
p -R -l -i NEEDLE tree >/dev/null || true
p -q 7 <numbers
seq 100 | p -m 3 -A 1 -B 1 -n 5
fails p nothing numbers
fails p x nothing
fails p '[' numbers
p --color=always -o 42 numbers >/dev/null
p -f numbers -x -F numbers >/dev/null
fails p needle tree
p -z -a needle tree/binary >/dev/null
p -m 2 9 - <numbers && p --exclude-dir=a -r x tree || true
