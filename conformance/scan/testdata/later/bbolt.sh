# go: go.etcd.io/bbolt/cmd/bbolt@v1.4.2
p bench -count 1000 -batch-size 100 -work -path bench.db -write-mode seq >/dev/null 2>&1; p bench -count 500 -write-mode rnd-nest -read-mode seq -path nest.db >/dev/null 2>&1
p info bench.db; p check bench.db; p buckets bench.db >names; p pages bench.db >/dev/null; p stats bench.db; p inspect bench.db; p page bench.db 0 >/dev/null; p dump bench.db 1 >/dev/null; p keys bench.db bench | head -n 1 >/dev/null || true
p compact -o small.db bench.db; p check small.db; p surgery revert-meta-page --output reverted.db bench.db; p surgery freelist abandon --output abandoned.db bench.db || true
p version; fails p check names; fails p check nothing.db; fails p nothing; chmod 400 small.db; p get small.db bench nothing || true
