# program: /usr/bin/cp
# package: coreutils
mkdir from from/deep
echo text >from/file
ln -s file from/link
ln from/file from/deep/hard
mkfifo from/fifo
truncate -s 10M from/sparse
echo end >>from/sparse
p -a from to
[ -L to/link ] && [ -p to/fifo ]
p -r --preserve=all from to2
p --reflink=auto --sparse=always from/sparse sparse
cmp from/sparse sparse
p --sparse=never from/sparse full
p -l from/file linked
p -s "$PWD/from/file" symbolic
p -b -f from/file full
p -u --attributes-only from/file full
p -v -t to from/deep/hard | grep -q hard
fails p nothing to
fails p from to
fails p -a from/file /proc/nothing
p --parents from/deep/hard to
p /dev/null empty
p -Z from/file context || p -x from/file context
echo n | p -i from/file full || true
