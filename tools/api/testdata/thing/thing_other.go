//go:build !linux

package thing

// OnlyLinux differs elsewhere.
func OnlyLinux(pid uint) {}
