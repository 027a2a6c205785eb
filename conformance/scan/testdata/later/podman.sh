# program: /usr/bin/podman
# package: podman rpm dpkg crun runc
# runs: /usr/bin/crun /usr/bin/conmon /usr/bin/runc /usr/lib/cni/* /usr/bin/dash /usr/bin/bash /usr/bin/dpkg /usr/bin/dpkg-query /usr/bin/rpm
export CONTAINERS_STORAGE_CONF="$PWD/storage.conf"; printf '[storage]\ndriver = "vfs"\nrunroot = "%s/run"\ngraphroot = "%s/graph"\n' "$PWD" "$PWD" >storage.conf
p --version; p --help >/dev/null; p info >/dev/null 2>&1 || true; p images || true; p ps -a || true; p volume create v || true; p volume ls || true; mkdir r; echo x >r/f; tar cf t.tar -C r .; p import t.tar img 2>/dev/null || true; p image inspect img >/dev/null 2>&1 || true; p save -o s.tar img >/dev/null 2>&1 || true; p rmi img >/dev/null 2>&1 || true; p system df 2>/dev/null || true; p pull 127.0.0.1:$PORT1/x 2>/dev/null || true; fails p nothing; p network ls 2>/dev/null || true; p generate systemd none 2>/dev/null || true; fails p inspect nothing
