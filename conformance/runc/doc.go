// Package seccomp stands in for runc's package libcontainer/seccomp, on top of package oci:
// the filters are compiled in Go and nothing of libseccomp is left.
//
// The files whose names end in _linux.go and _linux_test.go and runc.patch are what
// docs/RUNC.md puts into runc's source. The other tests follow that page with a release of
// runc: they build it, and run its own tests and more in containers. The source of runc's
// module has all of its integration tests.
package seccomp
