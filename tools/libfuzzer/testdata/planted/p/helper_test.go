package p_test

import "testing"

func mustBe(t testing.TB, good bool) {
	t.Helper()
	if !good {
		t.Errorf("found in %s", t.TempDir())
	}
}
