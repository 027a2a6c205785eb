// Package scan compares what "seccompile scan" finds in programs with the system calls that
// they make. Real programs run workloads under strace and under "seccompile record"; no call
// may be seen that scan left out, and every workload must succeed once more under the profile
// that scan wrote. Beside it stand what an analysis without reachability would allow and, for
// Go programs, what another tool finds.
package scan
