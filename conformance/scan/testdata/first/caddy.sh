# program: /usr/bin/caddy
# package: caddy
cat >Caddyfile <<END
{
	admin 127.0.0.1:$PORT3
	storage file_system $PWD/storage
	skip_install_trust
	auto_https disable_redirects
}
http://127.0.0.1:$PORT1 {
	root * $PWD
	encode gzip zstd
	log {
		output file $PWD/access.log
	}
	handle /up/* {
		uri strip_prefix /up
		reverse_proxy ${HTTP#http://}
	}
	handle /dead {
		reverse_proxy 127.0.0.1:1
	}
	file_server browse
}
https://localhost:$PORT2 {
	tls internal
	respond hello
}
END
seq 50000 >page
p validate --config Caddyfile 2>/dev/null; p fmt Caddyfile >/dev/null || true; p version; p list-modules >/dev/null; p hash-password --plaintext x >/dev/null
start run --config Caddyfile
await curl -sf -o /dev/null "http://127.0.0.1:$PORT1/page"
curl -s --compressed "http://127.0.0.1:$PORT1/page" | cmp - page; curl -s "http://127.0.0.1:$PORT1/page" | cmp - page; curl -s -r 5-9 "http://127.0.0.1:$PORT1/page"; curl -s "http://127.0.0.1:$PORT1/up/hello" | grep -q hello; curl -s "http://127.0.0.1:$PORT1/dead"; curl -s "http://127.0.0.1:$PORT1/" >/dev/null
await curl -sk "https://localhost:$PORT2/"
curl -sk --http2 "https://localhost:$PORT2/" | grep -q hello
p reload --config Caddyfile --address "127.0.0.1:$PORT3" 2>/dev/null
signal USR1 || true; p adapt --config Caddyfile >/dev/null 2>&1; p stop --address "127.0.0.1:$PORT3" 2>/dev/null
finish
fails p run --config nothing; p file-server -h >/dev/null
