# program: /usr/bin/snarf
# package: snarf
p "$HTTP/hello" out; grep -q hello out; p -q "$HTTP/big" big; p "$HTTP/elsewhere" moved || true; p -r "$HTTP/big" big || true; p -n "$HTTP/hello" - | grep -q hello; fails p "http://127.0.0.1:$PORT1/x" no; fails p "http://nothing.invalid/" no; p "$HTTP/missing" no || true; HTTP_PROXY=$HTTP p "http://x.invalid/hello" proxied || true; p -v "$HTTP/hello" out2
