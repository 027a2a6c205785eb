// Package languages compares filters for policies in other languages than OCI's with those
// that each language's own tool made of the same files.
package languages
