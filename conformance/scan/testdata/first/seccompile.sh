# build: cd ../../.. && go build -o "$PROGRAM" ./cmd/seccompile
# runs: /usr/bin/true /usr/bin/dash
p compile -o f.bpf docker-default; p compile -f asm docker-default >f.asm; p check docker-default; p stats docker-default >/dev/null; p explain docker-default >/dev/null; p eval docker-default openat >/dev/null; p report -o r.html docker-default; p disasm f.bpf >/dev/null; p asm -o g.bpf f.asm
p prove docker-default f.bpf; p graph docker-default >/dev/null; p syscalls openat; p convert -f systemd docker-default >/dev/null 2>&1 || true; p fmt docker-default >/dev/null 2>&1 || true; p union docker-default docker-default >/dev/null; p dump $$ || true; p trace -- true || true; p run -- sh -c 'exit 0'; p record -o r.json -- sh -c 'true | true' || true
fails p compile nothing; fails p nothing; p help run >/dev/null; p completion bash >/dev/null
