package bad

import "testing"

func TestFine(t *testing.T) { t.Log("all is well") }

func TestGroup(t *testing.T) {
	t.Run("bad", func(t *testing.T) { t.Error("one is not two") })
	t.Run("fine", func(t *testing.T) { t.Log("two is two") })
	t.Run("skipped", func(t *testing.T) { t.Skip("needs a moon") })
}
