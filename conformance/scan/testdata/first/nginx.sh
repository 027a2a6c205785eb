# program: /usr/sbin/nginx
# package: nginx-light
cat >nginx.conf <<END
daemon off;
worker_processes 2;
pid $PWD/pid;
error_log stderr info;
events { worker_connections 64; multi_accept on; }
http {
	access_log $PWD/access.log;
	client_body_temp_path $PWD/body; proxy_temp_path $PWD/proxy;
	fastcgi_temp_path $PWD/fastcgi; uwsgi_temp_path $PWD/uwsgi; scgi_temp_path $PWD/scgi;
	proxy_cache_path $PWD/cache keys_zone=zone:1m;
	limit_req_zone \$binary_remote_addr zone=limit:1m rate=1000r/s;
	open_file_cache max=10;
	gzip on;
	server {
		listen 127.0.0.1:$PORT1;
		listen 127.0.0.1:$PORT2 ssl;
		listen unix:$PWD/socket;
		ssl_certificate $PWD/cert.pem; ssl_certificate_key $PWD/key.pem;
		root $PWD;
		sendfile on; tcp_nopush on;
		aio threads;
		location /dir/ { autoindex on; }
		location /direct { directio 4k; alias $PWD/page; }
		location /up/ { proxy_pass $HTTP/; proxy_cache zone; }
		location /dead/ { proxy_pass http://127.0.0.1:$PORT3/; limit_req zone=limit; }
		location /down { proxy_pass http://unix:$PWD/nothing; }
		location /fast { fastcgi_pass 127.0.0.1:$PORT3; }
		location /put { client_max_body_size 10m; client_body_in_file_only clean; proxy_pass $HTTP/echo; }
	}
}
END
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost 2>/dev/null
mkdir dir; seq 50000 >page; touch dir/file; chmod 755 .
p -t -e stderr -c "$PWD/nginx.conf"
start -e stderr -c "$PWD/nginx.conf"
get() { curl -s -o /dev/null "$@"; }
await get "http://127.0.0.1:$PORT1/page"
curl -s "http://127.0.0.1:$PORT1/page" | cmp - page
get --unix-socket socket http://x/page; get -k "https://127.0.0.1:$PORT2/page"
get -H 'Accept-Encoding: gzip' "http://127.0.0.1:$PORT1/dir/"; get "http://127.0.0.1:$PORT1/missing"
get -r 100-200 "http://127.0.0.1:$PORT1/page"; get "http://127.0.0.1:$PORT1/direct"
get "http://127.0.0.1:$PORT1/up/big"; get "http://127.0.0.1:$PORT1/up/big"; get "http://127.0.0.1:$PORT1/dead/"
get "http://127.0.0.1:$PORT1/down"; get "http://127.0.0.1:$PORT1/fast"
curl -s -T page "http://127.0.0.1:$PORT1/put" | cmp - page
signal HUP; sleep 0.5; get "http://127.0.0.1:$PORT1/page"
mv access.log old.log; signal USR1; sleep 0.3; get "http://127.0.0.1:$PORT1/page"
signal QUIT
finish
grep -q page access.log
fails p -t -c "$PWD/nothing"
