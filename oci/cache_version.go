package oci

// compilerVersion is what the tables, the reading of profiles and the compiler are:
// a digest of their sources. TestCompilerVersion fails when it is not, and writes it
// with -update.
const compilerVersion = "f2e206da18f866a0"
