# program: /usr/bin/duf
# package: duf
p >/dev/null; p / >/dev/null; p --all >/dev/null; p --json >/dev/null; p --inodes --output mountpoint,size >/dev/null; p --only local --sort size >/dev/null; p --hide-fs tmpfs --theme light --style ascii >/dev/null; p --version; fails p --nothing; p /nothing || true; p --width 80 --warnings >/dev/null; p --avail-threshold 1G,1M >/dev/null
