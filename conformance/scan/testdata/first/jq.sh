# program: /usr/bin/jq
# package: jq
echo '{"a": [1, 2, {"b": "c"}], "t": 0}' >x.json
p . x.json; p -c '.a[2].b' x.json; p -r --arg n v '$n' x.json; p -n '[range(100000)] | add'; p -s . x.json x.json; p --stream -c . x.json; p -n 'input' x.json; p -S --tab . <x.json; p -n 'env.HOME, now, $__loc__, (now | todate), ("a" | ascii_downcase | @base64), input_filename'
p -n '"abc" | test("b"), (localtime? // 1), (now | strftime("%Z")), (now | localtime | mktime)'; p -n -f /dev/stdin <<END
def f: 1; f
END
mkdir lib; echo 'def g: 2;' >lib/m.jq; p -L lib -n 'import "m" as m; m::g'; p --slurpfile s x.json --rawfile r x.json -n '$s, $r' >/dev/null; p --seq -C . x.json; p -e .nothing x.json && exit 1
fails p . nothing; fails p '{' x.json; echo '{' | p . 2>/dev/null && exit 1; p -n '"\(1;2)"' 2>/dev/null || true; p -n 'halt_error' 2>/dev/null || true; p --unbuffered . x.json >/dev/null; p -n '[limit(5; repeat(1))]'; p -n 'error("x")' 2>/dev/null || true
