package good

import (
	"fmt"
	"testing"
)

func TestPasses(t *testing.T) {
	fmt.Println("noise")
	t.Log("a log")
}

func TestSkips(t *testing.T) {
	t.Run("one", func(t *testing.T) { t.Skip("needs a tape drive") })
	t.Run("two", func(t *testing.T) { t.Skipf("needs a tape %s", "drive") })
	t.Run("silent", func(t *testing.T) { t.SkipNow() })
}

func TestLong(t *testing.T) {
	t.Log("looked around")
	t.Skip("is long")
}
