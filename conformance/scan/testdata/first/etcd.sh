# program: /usr/bin/etcd
# package: etcd-server
start --data-dir data --listen-client-urls "http://127.0.0.1:$PORT1" --advertise-client-urls "http://127.0.0.1:$PORT1" --listen-peer-urls "http://127.0.0.1:$PORT2" --initial-advertise-peer-urls "http://127.0.0.1:$PORT2" --initial-cluster "default=http://127.0.0.1:$PORT2" --snapshot-count 10 --auto-compaction-retention 1s --auto-compaction-mode periodic
call() { curl -sf "http://127.0.0.1:$PORT1$1" -d "$2"; }
await curl -sf "http://127.0.0.1:$PORT1/health"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do call /v3/kv/put '{"key": "Zm9v", "value": "YmFy"}' >/dev/null; done
call /v3/kv/range '{"key": "Zm9v"}' | grep -q YmFy; call /v3/lease/grant '{"TTL": 1, "ID": 7}'; call /v3/kv/compaction '{"revision": 5}' || true; call /v3/maintenance/defragment '{}'; call /v3/maintenance/snapshot '{}' >/dev/null; call /v3/maintenance/status '{}'; curl -sf "http://127.0.0.1:$PORT1/metrics" >/dev/null
signal TERM; finish
start --data-dir data --listen-client-urls "http://127.0.0.1:$PORT1" --advertise-client-urls "http://127.0.0.1:$PORT1" --listen-peer-urls "http://127.0.0.1:$PORT2" --initial-advertise-peer-urls "http://127.0.0.1:$PORT2"
await curl -sf "http://127.0.0.1:$PORT1/health"; signal INT; finish
fails p --nonsense; p --version; fails p --data-dir /proc/nothing
