# program: /usr/bin/curl
# package: curl
p -s "$HTTP/hello" | grep -q hello
p -s -L -o page -D headers "$HTTP/elsewhere" && grep -q hello page
p -sk --http2 "$HTTPS/hello" | grep -q hello
p -sk --http1.1 "$HTTPS/big" -o big && [ "$(wc -l <big)" = 50000 ]
fails p -s "$HTTPS/hello"
fails p -sf "$HTTP/missing"
fails p -s "http://127.0.0.1:$PORT1/"
fails p -s --max-time 2 "http://nothing.invalid/"
echo body | p -s -d @- "$HTTP/echo" | grep -q body
p -s -T big "$HTTP/echo" -o big2 && cmp big big2
p -s -Z "$HTTP/big" "$HTTP/hello" -o a -o b
p -s -c jar -b jar --compressed --limit-rate 2M --retry 1 "$HTTP/big" -o /dev/null
p -s "file://$PWD/big" -o /dev/null
p -s -C 100 "$HTTP/big" -o big2 || true
p -s --interface lo -4 --tcp-fastopen "$HTTP/hello" >/dev/null || true
p -s "http://localhost:${HTTP##*:}/hello" | grep -q hello
p -s -x "$HTTP" "http://somewhere.invalid/hello" | grep -q hello
p -V | grep -q curl
p -s -w '%{time_total}\n' --netrc --unix-socket nothing "$HTTP/hello" || true
