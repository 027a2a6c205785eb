# program: /usr/bin/prometheus-alertmanager
# package: prometheus-alertmanager
printf 'route:\n  receiver: r\n  group_wait: 0s\nreceivers:\n- name: r\n  webhook_configs:\n  - url: %s/echo\n' "$HTTP" >c.yml
p --version >/dev/null; fails p --config.file=nothing --web.listen-address="127.0.0.1:$PORT1" --cluster.listen-address= --storage.path=data; fails p --nothing
start --config.file=c.yml --web.listen-address="127.0.0.1:$PORT1" --cluster.listen-address="127.0.0.1:$PORT2" --storage.path=data
await curl -sf -o /dev/null "http://127.0.0.1:$PORT1/-/ready"
curl -s -H 'Content-Type: application/json' -d '[{"labels": {"alertname": "a"}}]' "http://127.0.0.1:$PORT1/api/v2/alerts"; sleep 1; curl -s "http://127.0.0.1:$PORT1/api/v2/alerts" | grep -q alertname; curl -s "http://127.0.0.1:$PORT1/metrics" >/dev/null; curl -s "http://127.0.0.1:$PORT1/debug/pprof/goroutine" >/dev/null; signal HUP; sleep 0.5; curl -s -X POST "http://127.0.0.1:$PORT1/-/reload"; signal TERM; finish
