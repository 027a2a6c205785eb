# program: /usr/bin/heartbleeder
# package: heartbleeder
p "${HTTPS#https://}" || true; p -timeout 2s "127.0.0.1:$PORT1" || true; p -listfile nothing || true; p nothing.invalid || true; p -h || true; p "localhost:${HTTPS##*:}" || true; p || true
