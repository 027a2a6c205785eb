# program: /usr/bin/prometheus-exporter-exporter
# package: prometheus-exporter-exporter
# runs: /usr/bin/echo
printf 'modules:\n  h:\n    method: http\n    http:\n      port: %s\n      path: /hello\n  e:\n    method: exec\n    exec:\n      command: /usr/bin/echo\n      args: ["x 1"]\n' "${HTTP##*:}" >c.yml
start -config.file c.yml -web.listen-address "127.0.0.1:$PORT1"
await curl -sf -o /dev/null "http://127.0.0.1:$PORT1/"
for m in h e none; do curl -s "http://127.0.0.1:$PORT1/proxy?module=$m" >/dev/null; done; curl -s "http://127.0.0.1:$PORT1/metrics" >/dev/null; signal TERM; finish; fails p -config.file nothing; fails p -nothing; p -version || true
