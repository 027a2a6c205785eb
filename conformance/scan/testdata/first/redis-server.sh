# program: /usr/bin/redis-server
# package: redis-server
cli() { redis-cli -p "$PORT1" "$@"; }
start --port "$PORT1" --unixsocket socket --dir "$PWD" --appendonly yes --io-threads 2 --io-threads-do-reads yes --save 1 1 --maxclients 100 --pidfile pid
await cli ping
for i in 1 2 3 4; do cli set "k$i" "$i" >/dev/null; cli lpush list "$i" >/dev/null; done
redis-cli -s socket incr n
redis-benchmark -q -p "$PORT1" -n 2000 -c 20 -P 4 -t set,get,lpush,zadd >/dev/null
cli eval 'return redis.call("get", "k1")' 0 | grep -q 1
cli bgsave; cli bgrewriteaof
cli client list >/dev/null; cli info all >/dev/null; cli memory doctor; cli latency doctor >/dev/null; cli debug sleep 0
cli config set maxmemory 100mb; cli config set activedefrag yes || true
cli flushall async; cli xadd stream '*' a b; cli publish channel x
cli config rewrite 2>/dev/null || true
start2() { "$PROGRAM" --port "$PORT2" --replicaof 127.0.0.1 "$PORT1" --dir / --save '' >/dev/null 2>&1 & other=$!; }
start2
await sh -c "redis-cli -p $PORT2 info replication | grep -q master_link_status:up"
redis-cli -p "$PORT2" shutdown nosave || kill "$other"
cli replicaof 127.0.0.1 1; cli replicaof no one
await sh -c "redis-cli -p $PORT1 info persistence | grep -q rdb_bgsave_in_progress:0"
cli shutdown save
finish
# from its files, ended by a signal
start --port "$PORT1" --dir "$PWD" --appendonly yes
await cli ping
signal TERM
finish
fails p --port nonsense
p --version | grep -q Redis
