# program: /usr/bin/bash
# package: bash
# runs: /usr/bin/cat /usr/bin/true /usr/bin/sleep /usr/bin/sort /usr/bin/rm /usr/bin/mkfifo /usr/bin/id
cat >script <<'END'
set -u
for i in {1..3}; do (( i++ )); done
x=$(echo sub; cat </dev/null)
while read -r line; do :; done < <(printf '1\n2\n')
trap 'echo usr1' USR1; kill -USR1 $$
trap 'rm -f made' EXIT
echo a | sort | cat >made
cat <<<here >/dev/null
coproc cat; echo x >&"${COPROC[1]}"; read -r y <&"${COPROC[0]}"
exec 5<>made; exec 5>&-
[[ -e made && -r made && ! -x made && made -nt /etc/passwd ]]
ulimit -n 64; umask 077; cd /; cd - >/dev/null; pwd >/dev/null
sleep 0.1 & wait $!
set -m; true & wait $!; fg 2>/dev/null || true
read -r -t 0.05 <<<"" z || true
printf '%(%F)T %q\n' -1 'a b' >made
echo {a,b}*.nothing ~root ~ $RANDOM $EPOCHREALTIME >/dev/null
times >/dev/null; type cat >/dev/null; hash -r; jobs;
mkfifo fifo; (echo fifo >fifo) & read -r f <fifo; wait $!
exec {fd}</etc/passwd; mapfile -t -u $fd lines; echo "${#lines[@]}"
echo all done
END
p script | grep -q 'all done'
p -c 'echo $BASH_VERSION; nothing' 2>/dev/null && exit 1 || [ $? = 127 ]
p -l -c true
p -r -c 'cd /' 2>/dev/null && exit 1
echo 'echo from stdin' | p -s | grep -q stdin
p -n script
printf 'echo interactive\nhistory\nexit\n' | p -i >/dev/null 2>&1
p -c 'exec 3<>/dev/tcp/127.0.0.1/'"${HTTP##*:}"'; printf "GET /hello HTTP/1.0\r\n\r\n" >&3; cat <&3' | grep -q hello
p -c 'kill -SEGV $$' || true
fails p nothing
