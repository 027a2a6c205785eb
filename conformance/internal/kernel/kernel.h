// A call to measure.
struct call {
	long nr;
	long args[6];
};

// Forks a child that installs a filter of len instructions (none if len is 0)
// and makes every call n times. Stores nanoseconds: out[0] for installing, wall
// time; out[1+i] for n times call i, processor time. Returns 0, an errno, or
// the negative number of the signal that killed the child.
int measure(const void *filter, int len, const struct call *calls, int count, int n, long *out);
