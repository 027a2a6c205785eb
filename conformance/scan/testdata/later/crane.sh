# go: github.com/google/go-containerregistry/cmd/crane@v0.20.6
export DOCKER_CONFIG="$PWD/docker"; mkdir t disk; seq 50000 >t/n; tar cf t.tar -C t .; at=127.0.0.1:$PORT1
start registry serve --address "$at" --disk disk
await curl -sf -o /dev/null "http://$at/v2/"
p append -f t.tar -t "$at/xx:v1" >/dev/null; p append -b "$at/xx:v1" -f t.tar -t "$at/xx:v2" >/dev/null; p ls "$at/xx"; p catalog "$at"; p manifest "$at/xx:v1" >/dev/null; p config "$at/xx:v1" >/dev/null; p digest "$at/xx:v1"; p export "$at/xx:v2" - | tar t >/dev/null; p pull "$at/xx:v1" x.tar; p pull --format oci "$at/xx:v2" oci; p push x.tar "$at/yy:v1" >/dev/null; p push oci "$at/zz:v1" >/dev/null; p cp "$at/xx:v1" "$at/ww:v1" 2>/dev/null; p tag "$at/xx:v1" other; p mutate -l a=b "$at/xx:v1" >/dev/null; p flatten "$at/xx:v2" >/dev/null; p validate --remote "$at/xx:v1"; p validate --tarball x.tar; p index append -m "$at/xx:v1" -t "$at/ii:v1" >/dev/null; p blob "$at/xx@$(p manifest "$at/xx:v1" | sed 's/.*"layers".*\(sha256:[0-9a-f]*\).*/\1/')" | wc -c; p delete "$at/xx:other"; p pull -c cache "$at/xx:v2" c.tar
signal TERM; finish
p version; fails p nothing; fails p digest "127.0.0.1:$PORT2/xx"; echo s | p auth login "$at" -u u --password-stdin 2>/dev/null; p auth get "$at" >/dev/null 2>&1 </dev/null || true; p auth logout "$at" 2>/dev/null; fails p pull "$(echo "$HTTPS" | sed s,https://,,)/xx:y" z.tar
