package oci_test

import (
	"testing"

	"github.com/seccompile/seccompile/oci"
)

// BenchmarkCache compares the ways to a filter for Docker's profile: "none" without a
// cache, "hit" with one that has the filter, "miss" with one that stores it.
func BenchmarkCache(b *testing.B) {
	s := profile(b, string(dockerProfile(b)))
	compile := func(b *testing.B, o oci.Options) {
		if _, err := oci.Compile(s, o); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("none", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			compile(b, oci.Options{})
		}
	})
	o := oci.Options{Cache: &oci.Cache{Dir: b.TempDir() + "/cache", Report: func(err error) { b.Error(err) }}}
	compile(b, o)
	b.Run("hit", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			compile(b, o)
		}
	})
	b.Run("miss", func(b *testing.B) {
		b.ReportAllocs()
		// Another errno is another profile. The cache is full most of the time.
		for errno := uint(1); b.Loop(); errno++ {
			s.DefaultErrnoRet = &errno
			compile(b, o)
		}
	})
}
