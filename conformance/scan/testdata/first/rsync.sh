# program: /usr/bin/rsync
# package: rsync
# runs: /usr/bin/dash
mkdir -p from/deep; seq 50000 >from/numbers; ln -s numbers from/soft; ln from/numbers from/hard; mkfifo from/fifo; truncate -s 2M from/sparse
p -aHAXS --numeric-ids from/ to; p -a --delete --checksum --stats from/ to >/dev/null; echo more >>from/numbers; p -avz --inplace --no-whole-file from/ to; rm from/hard; p -a --delete-after --backup --backup-dir=../old --partial from/ to; p -n -a -i from/ to2; p -a --link-dest="$PWD/to" from/ to3; p --list-only from/ >/dev/null; p -a --bwlimit=5000 --timeout=10 --exclude '*.x' --files-from=- from/ to4 <<END
numbers
END
printf '[m]\npath=%s\nread only=no\nuse chroot=no\nuid=0\ngid=0\n' "$PWD/to" >conf
start --daemon --no-detach --address=127.0.0.1 --port="$PORT1" --config=conf
await p "rsync://127.0.0.1:$PORT1/"
p -a "rsync://127.0.0.1:$PORT1/m/" from5; p -a from/ "rsync://127.0.0.1:$PORT1/m/sub/"; fails p "rsync://127.0.0.1:$PORT1/nothing/"
signal TERM; finish
fails p nothing to; p --preallocate --fsync -a from/numbers to6 || true; p --chmod=600 --chown=0:0 --copy-links -r from/ to7 2>/dev/null || true; p --write-batch=batch -a from/ to8; p --read-batch=batch -a to9 || true; p --version >/dev/null
printf '#!/bin/sh\nshift\nexec "$@"\n' >remote; chmod +x remote; p -a -e "$PWD/remote" --rsync-path="$PROGRAM" from/ host:"$PWD/to10"
