// Builds both forms of the page from dist/engine/, which `make web` fills:
//   dist/site/            a directory for any static host, its files named by their content
//   dist/seccompile.html  one file that works from file://
//   dist/LICENCES.txt     the licences of all that is bundled, which both forms contain
//   dist/packages.json    the npm packages that are bundled

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const web = dirname(fileURLToPath(import.meta.url));
const dist = join(web, "dist");
const engine = join(dist, "engine");
const read = (...path) => readFileSync(join(...path));

async function bundle(entry, define = {}) {
  const result = await build({
    entryPoints: [join(web, entry)],
    absWorkingDir: web,
    bundle: true,
    minify: true,
    format: "iife",
    target: ["chrome123", "firefox121", "safari17.5"],
    charset: "utf8",
    legalComments: "none",
    alias: { "wasm-exec": join(engine, "wasm_exec.js") },
    define,
    metafile: true,
    write: false,
  });
  return { text: result.outputFiles[0].text, inputs: Object.keys(result.metafile.inputs) };
}

/** The packages that a bundle has a file of. */
function packages(inputs) {
  const names = new Set(inputs.flatMap((i) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(i)?.[1] ?? []));
  return [...names].sort().map((name) => {
    const { version, license } = JSON.parse(read(web, "node_modules", name, "package.json"));
    return { name, version, license };
  });
}

function licences(bundled) {
  const parts = bundled.map(({ name, version, license }) => {
    const file = ["LICENSE", "LICENSE.md", "LICENCE", "license"].find((f) => existsSync(join(web, "node_modules", name, f)));
    if (!file) throw new Error(`${name}: no licence text in its package: do not bundle it`);
    return `${name} ${version} (${license})\n\n${read(web, "node_modules", name, file).toString().trim()}\n`;
  });
  if (existsSync(join(engine, "LICENCES.txt"))) parts.push(read(engine, "LICENCES.txt").toString());
  const title = "The playground of seccompile is under the Apache License 2.0. It contains:\n";
  return [title, ...parts].join(`\n${"-".repeat(80)}\n\n`);
}

function csp(directives) {
  const all = { "default-src": "'none'", ...directives, "img-src": "data:", "base-uri": "'none'", "form-action": "'none'" };
  return Object.entries(all).map(([name, value]) => `${name} ${value}`).join("; ");
}

const sha256 = (data, encoding) => createHash("sha256").update(data).digest(encoding);
const hashOf = (text) => `'sha256-${sha256(text, "base64")}'`;

/** Fills the places of index.html. */
function page(parts) {
  return read(web, "index.html").toString().replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name]);
}

function site(script, start, style, wasm) {
  const folder = join(dist, "site");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const put = (stem, extension, data) => {
    const name = `${stem}-${sha256(data, "hex").slice(0, 12)}.${extension}`;
    writeFileSync(join(folder, name), data);
    return name;
  };
  const head = [
    `<meta name="engine-wasm" content="${put("engine", "wasm", wasm)}">`,
    `<script src="${put("start", "js", start)}"></script>`, // before the styles, which it would wait for
    `<link rel="stylesheet" href="${put("page", "css", style)}">`,
    `<script defer src="${put("page", "js", script)}"></script>`,
  ];
  const policy = csp({ "script-src": "'self' 'wasm-unsafe-eval'", "worker-src": "blob:", "style-src": "'self'", "connect-src": "'self'" });
  writeFileSync(join(folder, "index.html"), page({ csp: policy, head: head.join("\n"), body: "" }));
}

/** A script element. HTML knows two things that would end it early or not at all; esbuild escapes the first. */
function inline(text, attributes = "") {
  if (/<\/script|<!--/i.test(text)) throw new Error("a script or licence has </script or <!--, which HTML reads as markup: escape it");
  return `<script${attributes}>${text}</script>`;
}

const data = (id, text) => inline(text, ` type="text/plain" id="${id}"`);

function oneFile(script, start, style, packed, licences) {
  const policy = csp({ "script-src": `${hashOf(start)} ${hashOf(script)} 'wasm-unsafe-eval'`, "worker-src": "blob:", "style-src": hashOf(style), "connect-src": "'none'" });
  const body = [data("engine-wasm", packed.toString("base64")), inline(start), data("licences", licences), inline(script)];
  writeFileSync(join(dist, "seccompile.html"), page({ csp: policy, head: `<style>${style}</style>`, body: body.join("\n") }));
}

const script = await bundle("src/main.ts");
const style = await bundle("style.css");
const worker = await bundle("src/worker.ts");
const start = await bundle("src/start.ts", { workerScript: JSON.stringify(worker.text) });
const bundled = packages([...script.inputs, ...style.inputs, ...worker.inputs, ...start.inputs]);
const text = licences(bundled);
site(script.text, start.text, style.text, read(engine, "engine.wasm"));
oneFile(script.text, start.text, style.text, read(engine, "engine.wasm.gz"), text);
writeFileSync(join(dist, "LICENCES.txt"), text);
copyFileSync(join(dist, "LICENCES.txt"), join(dist, "site/LICENCES.txt"));
writeFileSync(join(dist, "packages.json"), `${JSON.stringify(bundled, null, 2)}\n`);
