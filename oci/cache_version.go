package oci

// compilerVersion is what the tables, the reading of profiles and the compiler are,
// as far as filters tell: a digest of the filters that they make of many profiles.
// TestCompilerVersion fails when it is not, and writes it with -update.
const compilerVersion = "94824b7704362a21"
