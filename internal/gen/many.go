package gen

import (
	"os"
	"strconv"
	"testing"
)

// Many returns how many random cases a test takes: usual, or long where SECCOMPILE_LONG is set
// (make test-long), and N times that where it is N, or a tenth of usual with -short.
func Many(usual, long int) int {
	switch n, set := os.LookupEnv("SECCOMPILE_LONG"); {
	case set && n != "":
		times, err := strconv.Atoi(n)
		if err != nil || times < 1 {
			panic("SECCOMPILE_LONG: expected a number from 1 on, got " + n)
		}
		return long * times
	case testing.Short():
		return max(1, usual/10)
	}
	return usual
}
