# go: github.com/nats-io/nats-server/v2@v2.11.4
ask() { python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
s.sendall(("CONNECT {\"verbose\": false}\r\n" + "".join(l + "\r\n" for l in sys.argv[2:]) + "PING\r\n").encode())
got = b""
while b"PONG\r\n" not in got:
    part = s.recv(65536)
    if not part: break
    got += part
' "$@"; }
cat >conf <<END
port: $PORT1
host: 127.0.0.1
http: 127.0.0.1:$PORT2
server_name: one
jetstream { store_dir: "$PWD/js", sync_interval: always }
websocket { host: 127.0.0.1, port: $PORT3, no_tls: true }
log_file: "$PWD/nats.log"
pid_file: "$PWD/pid"
debug: true
END
p -t -c conf; start -c conf; await curl -sf -o /dev/null "http://127.0.0.1:$PORT2/healthz"
ask "$PORT1" 'SUB foo 1' 'PUB foo 5' hello 'UNSUB 1'; stream='{"name":"S","subjects":["s.>"],"storage":"file"}'; ask "$PORT1" 'SUB _INBOX.a 2' "PUB \$JS.API.STREAM.CREATE.S _INBOX.a ${#stream}" "$stream"; for i in 1 2 3; do ask "$PORT1" "PUB s.$i 3" abc; done; ask "$PORT1" 'SUB _INBOX.b 3' 'PUB $JS.API.STREAM.PURGE.S _INBOX.b 0' ''
for page in varz connz routez subsz jsz accountz leafz gatewayz; do curl -sf "http://127.0.0.1:$PORT2/$page" >/dev/null; done; curl -s "http://127.0.0.1:$PORT3/" >/dev/null
echo 'max_payload: 1000' >>conf; signal HUP; signal USR1; p --signal "reload=$PWD/pid" || true; sleep 0.3; ask "$PORT1" 'PUB foo 1' x; signal USR2; finish
start -c conf -DV; await curl -sf -o /dev/null "http://127.0.0.1:$PORT2/healthz"; signal TERM; finish; p --version; fails p -c nothing; p -p nonsense >/dev/null || true; p --help >/dev/null
