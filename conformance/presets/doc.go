// Package presets compares the profiles of package preset with their origins.
package presets
