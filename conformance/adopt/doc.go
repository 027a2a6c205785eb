// Package adopt has the examples of docs/ADOPT.md: what container engines and runtimes would
// call, against the types that they have. Its tests try them, and the page's commands.
package adopt
