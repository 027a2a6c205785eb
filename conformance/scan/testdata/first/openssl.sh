# program: /usr/bin/openssl
# package: openssl
p genrsa -out key.pem 2048 2>/dev/null
p genpkey -algorithm ed25519 -out ed.pem; p ecparam -name prime256v1 -genkey -out ec.pem
p req -x509 -new -key key.pem -out cert.pem -days 2 -subj /CN=localhost
p x509 -in cert.pem -noout -text >/dev/null; p verify -CAfile cert.pem cert.pem
seq 100000 >data; p dgst -sha256 -sign key.pem -out sig data; p x509 -in cert.pem -pubkey -noout >pub.pem; p dgst -sha256 -verify pub.pem -signature sig data
p enc -aes-256-cbc -pbkdf2 -pass pass:x -in data -out enc; p enc -d -aes-256-cbc -pbkdf2 -pass pass:x -in enc | cmp - data
p rand -hex 16; p rand -writerand seed 10 >/dev/null; p passwd -6 -salt a b; p prime 97; p list -providers >/dev/null; p version -a
p dgst -provider legacy -provider default -md5 data; p engine -t >/dev/null 2>&1 || true
p pkcs12 -export -inkey key.pem -in cert.pem -out x.p12 -passout pass:x; p cms -sign -in data -signer cert.pem -inkey key.pem -out cms -binary
p speed -seconds 1 -bytes 64 sha256 >/dev/null 2>&1; p speed -multi 2 -seconds 1 -bytes 64 sha256 >/dev/null 2>&1
start s_server -accept "$PORT1" -key key.pem -cert cert.pem -www
await curl -sk "https://127.0.0.1:$PORT1/"
echo Q | p s_client -connect "127.0.0.1:$PORT1" -CAfile cert.pem >/dev/null 2>&1
printf 'GET / HTTP/1.0\r\n\r\n' | p s_client -quiet -tls1_2 -connect "localhost:$PORT1" >/dev/null 2>&1 || true
p s_time -connect "127.0.0.1:$PORT1" -new -time 1 >/dev/null || true
signal TERM; finish
fails p s_client -connect "127.0.0.1:$PORT2" </dev/null 2>/dev/null
fails p x509 -in nothing
p ocsp -url "$HTTP" -issuer cert.pem -cert cert.pem 2>/dev/null || true
mkdir ca; p ca -config /dev/null 2>/dev/null || true
