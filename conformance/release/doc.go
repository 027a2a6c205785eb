// Package release has the tests of what make release makes: they build a release twice,
// install its packages in a clean Debian, run its binaries, and tamper with it.
package release
