/** The Go toolchain's lib/wasm/wasm_exec.js, which build.mjs bundles. It defines a global class Go. */
declare module "wasm-exec";
