# program: /usr/bin/busybox
# package: busybox-static
# runs: /usr/bin/gzip /usr/bin/true /usr/bin/ls /usr/bin/wc /usr/bin/echo
p sh -c 'for i in 1 2 3; do echo $i; done | wc -l; x=$(ls /); cd /tmp; echo ~root; kill -USR2 $$' || true
seq 1000 >f; p sort -r f | p head -n 3; p grep -c 9 f; p sed -n 5p f; p awk '{ s += $1 } END { print s }' f; p md5sum f; p cp f g; p mv g h; p ln -s h i; p ls -la . /; p stat f; p find . -name f; p du -s .; p df >/dev/null; p wc f
p gzip -k f; p zcat f.gz | cmp - f; p tar czf t.tgz f; p tar tzf t.tgz; p xz -h 2>/dev/null || true; p bzip2 -k f; p unzip -l nothing 2>/dev/null || true
p wget -q -O - "$HTTP/hello" | grep -q hello; p wget -q -O /dev/null "http://127.0.0.1:$PORT1/" 2>/dev/null && exit 1
(sleep 0.3; echo x) | p nc 127.0.0.1 "${HTTP##*:}" >/dev/null || true
# Debian's builds differ in applets.
o() { if "$PROGRAM" --list | grep -qx "$1"; then p "$@"; fi; }
o ps >/dev/null; o id; o date; o uname -a; o free >/dev/null; o uptime; o hostname; o env >/dev/null; o sleep 0.05; o timeout 1 true; o nice true; o dd if=/dev/zero of=z bs=1k count=10 2>/dev/null; o sync; o touch t; o chmod 600 t; o chown 0 t; o mkdir -p a/b; o rm -rf a; o mkfifo q; o test -e t; o mktemp; o vi -h 2>/dev/null || true; o ip addr >/dev/null || true; o ifconfig >/dev/null || true; o netstat -tn >/dev/null; o mount >/dev/null; o ping -c 1 127.0.0.1 >/dev/null || true; o nslookup localhost 127.0.0.1:1 >/dev/null 2>&1 || true; o logger x 2>/dev/null || true; o pidof sh >/dev/null || true; o flock f true; o usleep 1; o cal >/dev/null; o dc -e '1 1 + p'; o cpio -o </dev/null >/dev/null 2>&1 || true; o xargs echo <f >/dev/null; o tee o <f >/dev/null; o split -l 500 f; o cmp f f; o diff f f; o patch </dev/null || true; o realpath f; o ionice true || true; o taskset 1 true || true; o script -h 2>/dev/null || true; o time true 2>/dev/null; o setsid true; o renice 1 $$ || true; o watch -h 2>/dev/null || true
printf 'GET /f HTTP/1.0\r\n\r\n' | p httpd -i -h . >/dev/null || true
start httpd -f -p "127.0.0.1:$PORT1" -h "$PWD"
await curl -s -o /dev/null "http://127.0.0.1:$PORT1/f"
signal TERM; finish
fails p nothing
fails p cat nothing
