# go: github.com/rakyll/hey@v0.1.4
p -n 200 -c 4 "$HTTP/hello" | grep -q 200
p -n 20 -c 2 -m POST -d body -H 'A: b' "$HTTP/echo" >/dev/null
p -n 20 -c 2 "$HTTPS/hello" >/dev/null
p -z 1s -q 10 -c 2 -o csv "$HTTP/hello" >/dev/null
p -n 2 -c 1 "http://127.0.0.1:$PORT1/" >/dev/null
p -n 10 -c 2 -disable-keepalive -h2 "$HTTPS/hello" >/dev/null
p -n 2 -c 1 "http://nothing.invalid/" >/dev/null
p -n 4 -c 1 -x "$HTTP" "http://x.invalid/hello" >/dev/null
fails p
