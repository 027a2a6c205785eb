# program: /usr/bin/find
# package: findutils
# runs: /usr/bin/true /usr/bin/echo
mkdir -p tree/a/b tree/c
echo x >tree/a/file
ln -s a tree/link
touch -d 2001-01-01 tree/old
p tree -type f | grep -q file
p tree -newer tree/old -printf '%p %u %g %m %s %T+\n'
p -L tree -name '*l*' -ls
p tree -exec true {} \; -exec echo {} +
p tree -execdir true {} \;
p tree -user root -group root -perm -u+r -size -10k -mmin -100 -links 1 -fstype ext4 || true
p tree -samefile tree/a/file -inum 1 -o -empty -print0 >/dev/null
p / -maxdepth 1 -xdev -regex '.*s.*' >/dev/null
fails p nothing
fails p tree -nothing
p tree -nouser -o -nogroup -o -readable -o -writable -o -executable >/dev/null
echo y | p tree -name file -ok true {} \;
p tree -fprint out -quit
p tree -depth -name old -delete
p -files0-from - -maxdepth 0 </dev/null
