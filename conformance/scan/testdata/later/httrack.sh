# program: /usr/bin/httrack
# package: httrack
p --quiet "$HTTP/hello" -O site -q; p --quiet "$HTTP/big" "$HTTP/elsewhere" -O site2 -q -c4 -r2; p --update -O site -q || true; p --quiet "$HTTPS/hello" -O site3 -q -T2 -R0 -E10 </dev/null || true; p --quiet "http://127.0.0.1:$PORT1/" -O site4 -q -T2 -R0 || true; p --quiet "http://nothing.invalid/" -O site5 -q -T2 -R0 || true; p --version; p --quiet "$HTTP/hello" -O site6 -q -p1 -%v0 -s0 -K; p --help >/dev/null </dev/null; p --quiet "$HTTP/missing" -O site7 -q || true; p -O site -q -i || true
