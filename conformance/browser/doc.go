// Package browser tries the pages of package report in Chromium, as readers do: with
// and without a script, in light and dark, on a phone, and by keyboard alone.
package browser
