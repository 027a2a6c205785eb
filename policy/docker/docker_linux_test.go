package docker_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/moby/profiles/seccomp"

	"github.com/seccompile/seccompile/policy/docker"
)

var update = flag.Bool("update", false, "rewrite default.json from the required version of moby's module")

func TestDefaultIsMobys(t *testing.T) {
	want, err := json.MarshalIndent(seccomp.DefaultProfile(), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile("default.json", want, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(docker.Default(), want) {
		t.Error("default.json is not what the required version of moby's module gives: run the test with -update and see the difference")
	}
}
