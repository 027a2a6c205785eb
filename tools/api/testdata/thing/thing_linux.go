package thing

// OnlyLinux has a type of its own there.
func OnlyLinux(pid int) {}
