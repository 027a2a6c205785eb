package scan

// bound decides whether a system call whose number is not known makes a result incomplete.
func (r *resolver) bound(u *Unresolved) {}
