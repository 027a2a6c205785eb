# program: /usr/bin/prometheus-nginx-exporter
# package: prometheus-nginx-exporter
start -nginx.scrape-uri "$HTTP/hello" -web.listen-address "127.0.0.1:$PORT1" -nginx.retries 1 -nginx.retry-interval 1s
sleep 2; curl -s "http://127.0.0.1:$PORT1/metrics" >/dev/null || true; signal TERM || true; finish
p -version || true; p -nothing 2>/dev/null || true; start -nginx.scrape-uri "unix:$PWD/none:/x" -web.listen-address "127.0.0.1:$PORT2"; sleep 1; signal TERM || true; finish
