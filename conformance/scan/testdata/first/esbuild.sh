# go: github.com/evanw/esbuild/cmd/esbuild@v0.25.5
printf 'import { f } from "./b.ts"\nconsole.log(f(1) ?? <div/>)\n' >a.jsx; printf 'export const f = (x: number): number => x * 2\n' >b.ts; echo 'body { color: red }' >c.css
p a.jsx --bundle --minify --sourcemap --outfile=out.js --jsx-factory=h; p c.css --minify; p --version; echo 'let x: number = 1' | p --loader=ts; p a.jsx --bundle --splitting --format=esm --outdir=outdir --metafile=meta.json --analyze 2>/dev/null
fails p nothing.js --bundle; printf 'let let' >bad.js; fails p bad.js 2>/dev/null
start a.jsx --bundle --outdir=www --servedir=www --serve="127.0.0.1:$PORT1" --watch=forever
await curl -sf -o /dev/null "http://127.0.0.1:$PORT1/a.js"
echo 'export const f = (x: number): number => x * 3' >b.ts; sleep 1; curl -s "http://127.0.0.1:$PORT1/a.js" >/dev/null; curl -s "http://127.0.0.1:$PORT1/" >/dev/null
signal TERM; finish
