// Package algebra combines all pairs of many profiles, and counts the results. Its test is
// skipped unless SECCOMPILE_PROFILES names a directory.
package algebra
