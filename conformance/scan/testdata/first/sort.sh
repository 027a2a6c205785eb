# program: /usr/bin/sort
# package: coreutils
# runs: /usr/bin/gzip
seq 300000 | awk '{ print $1 * 7919 % 100003 }' >words
p words >sorted
p -n -r --parallel=2 -S 1M -T . words >reversed
p -n -S 200K --compress-program=gzip -T . words >compressed
[ "$(wc -l <compressed)" = 300000 ]
p -c -n compressed
fails p -c words
p -m sorted sorted -o merged
p -u -k1,1 -t: /etc/passwd >/dev/null
p -R --random-source=/dev/zero words >/dev/null
fails p --nothing
fails p nothing
p --version | grep -q coreutils
printf 'b\na\n' | p -o out - && grep -q a out
