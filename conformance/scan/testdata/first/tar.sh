# program: /usr/bin/tar
# package: tar
# runs: /usr/bin/gzip /usr/bin/sh
mkdir -p tree/deep
seq 100000 >tree/numbers
ln tree/numbers tree/hard
ln -s numbers tree/soft
mkfifo tree/fifo
truncate -s 5M tree/sparse
p -cf plain.tar tree
p -czf packed.tgz tree
p -S --xattrs --acls --selinux -cf all.tar tree 2>/dev/null || p -S --xattrs -cf all.tar tree
p -tvf plain.tar | grep -q numbers
mkdir out out2
p -xpf plain.tar -C out
cmp out/tree/numbers tree/numbers
p -xzf packed.tgz -C out2 --same-owner
p -df plain.tar
echo more >tree/more
p -rf plain.tar tree/more
p -uf plain.tar tree
p --delete -f plain.tar tree/more
p -g snapshot -cf incremental.tar tree
p -cf - tree | p -tf - >/dev/null
p -cf check.tar --checkpoint=10 --checkpoint-action=exec=true tree
p -xf plain.tar --to-command=true
p -cMf volume1.tar -L 100 -f volume2.tar -f volume3.tar -f volume4.tar -f volume5.tar -f volume6.tar -f volume7.tar -f volume8.tar -f volume9.tar -f volume10.tar -f volume11.tar tree/numbers
fails p -xf nothing
fails p -tf tree/numbers
p --remove-files -cf removed.tar out2
p -W -cf verified.tar tree/numbers
