# go: github.com/cloudflare/cfssl/cmd/cfssl@v1.6.5
p print-defaults config >config.json; p print-defaults csr >csr.json; printf '{"CN": "ca", "key": {"algo": "ecdsa", "size": 256}}' >ca.json; printf '{"CN": "x", "hosts": ["localhost"], "key": {"algo": "rsa", "size": 2048}}' >x.json
json() { python3 -c 'import json, sys; open(sys.argv[2], "w").write(json.load(open("out"))[sys.argv[1]])' "$@"; }
p genkey -initca ca.json >out; json cert ca.pem; json key ca-key.pem; p gencert -ca ca.pem -ca-key ca-key.pem -config config.json -profile www x.json >out; json cert x.pem; json key x-key.pem; json csr x.csr
p certinfo -cert x.pem >/dev/null; p certinfo -csr x.csr >/dev/null; p sign -ca ca.pem -ca-key ca-key.pem x.csr >/dev/null; p selfsign localhost x.json >/dev/null 2>&1; p gencsr -key x-key.pem x.json >/dev/null; echo 1 >serials; p gencrl serials ca.pem ca-key.pem >/dev/null; p bundle -ca-bundle ca.pem -int-bundle ca.pem -cert x.pem >/dev/null 2>&1 || true; p version; p bundle -domain "localhost:$PORT3" 2>/dev/null || true
start serve -address 127.0.0.1 -port "$PORT1" -ca ca.pem -ca-key ca-key.pem -config config.json
await curl -sf -o /dev/null -d '{"label": ""}' "http://127.0.0.1:$PORT1/api/v1/cfssl/info"
curl -sf -d '{"request": {"CN": "y", "hosts": ["y"], "key": {"algo": "ecdsa", "size": 256}}, "profile": "www"}' "http://127.0.0.1:$PORT1/api/v1/cfssl/newcert" >/dev/null; p info -remote "127.0.0.1:$PORT1" >/dev/null 2>&1 || true; curl -s "http://127.0.0.1:$PORT1/api/v1/cfssl/nothing" >/dev/null
signal TERM; finish; p gencert -ca nothing x.json || true; p sign || true; p certinfo -cert x.json || true; fails p nothing
