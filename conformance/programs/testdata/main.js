// A web server, its clients, a worker, processes, files.
const { execFile } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');
const { Worker } = require('worker_threads');

const dir = process.argv[2];

const get = (options) => new Promise((resolve, reject) => {
  http.get(options, (r) => {
    let n = 0;
    r.on('data', (d) => { n += d.length; });
    r.on('end', () => resolve(n));
  }).on('error', reject);
});
const run = () => new Promise((resolve, reject) => {
  execFile('sh', ['-c', 'echo hi'], (err, out) => (err ? reject(err) : resolve(out)));
});
const work = () => new Promise((resolve, reject) => {
  const w = new Worker('require("worker_threads").parentPort.postMessage([...Array(1e5).keys()].reduce((a, b) => a + b))', { eval: true });
  w.on('message', resolve);
  w.on('error', reject);
});

async function main() {
  const server = http.createServer((_, res) => res.end(Buffer.alloc(1 << 14)));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const sizes = await Promise.all([...Array(16)].map(() => get({ port, host: '127.0.0.1', agent: false })));
  if (sizes.some((n) => n !== 1 << 14)) throw new Error(`sizes ${sizes}`);
  const file = path.join(dir, 'file');
  await fs.promises.writeFile(file, 'x'.repeat(1 << 20));
  if ((await fs.promises.readFile(file)).length !== 1 << 20) throw new Error('short file');
  if (await run() !== 'hi\n') throw new Error('no output');
  if (await work() !== 4999950000) throw new Error('wrong sum');
  server.close();
  console.log('all done');
}

main().catch((err) => { console.error(err); process.exit(1); });
