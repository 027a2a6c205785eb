# program: /usr/bin/daemon
# package: daemon
# runs: /usr/bin/sleep /usr/bin/true /usr/bin/dash
# strace and record wait for a daemon.
p --name=x --pidfiles="$PWD" --stdout="$PWD/out" --stderr="$PWD/err" -- sleep 60 &
sleep 3
p --name=x --pidfiles="$PWD" --running --verbose; p --pidfiles="$PWD" --list; p --name=x --pidfiles="$PWD" -- sleep 60 || true
p --name=x --pidfiles="$PWD" --restart; sleep 0.3; p --name=x --pidfiles="$PWD" --signal=CONT || true; for i in 1 2 3 4 5 6 7 8 9 10; do ! p --name=x --pidfiles="$PWD" --stop || break; sleep 1; done; wait
p --foreground -- true || true; p --name=y --pidfiles="$PWD" --respawn --attempts=2 --delay=10 --limit=1 --foreground --pty -- sh -c 'sleep 0.1' >/dev/null 2>&1 & sleep 2; p --name=y --pidfiles="$PWD" --stop || true; wait
p --name=none --pidfiles="$PWD" --running || true; p --nothing || true; p --version; p --foreground --chdir=/ --umask=077 --env=A=b --inherit --errlog="$PWD/log" -- true || true
