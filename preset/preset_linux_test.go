package preset_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/moby/profiles/seccomp"

	"github.com/seccompile/seccompile/preset"
)

var update = flag.Bool("update", false, "rewrite moby@0.2.4.json from the required version of moby's module")

func TestDefaultIsMobys(t *testing.T) {
	want, err := json.MarshalIndent(seccomp.DefaultProfile(), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile("release/moby@0.2.4.json", want, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(preset.Docker(), want) {
		t.Error("moby@0.2.4.json is not what the required version of moby's module gives: run the test with -update and see the difference")
	}
}
