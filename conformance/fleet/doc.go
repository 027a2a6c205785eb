// Package fleet runs the way of artifacts from a build to nodes that docs/FLEET.md describes: in a
// real registry, with real signatures, and with somebody who tampers with both.
package fleet
