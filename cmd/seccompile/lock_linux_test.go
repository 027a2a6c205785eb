package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Two files in one folder have one lock, by whatever path.
func TestLockFile(t *testing.T) {
	dir := t.TempDir()
	one, two, link := filepath.Join(dir, "one"), filepath.Join(dir, "two"), filepath.Join(t.TempDir(), "link")
	if err := os.WriteFile(one, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(one, link); err != nil {
		t.Fatal(err)
	}
	unlock, err := lockFile(one, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{one, two, link} {
		if unlock, err := lockFile(path, 20*time.Millisecond); err == nil {
			t.Errorf("%s was locked twice", path)
			unlock()
		} else if want := path + ": another program has kept its folder locked for 20ms"; err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, path := range []string{"", "-", os.DevNull, filepath.Join(dir, "nowhere", "file"), filepath.Join(t.TempDir(), "another")} {
		unlock, err := lockFile(path, 0)
		if err != nil {
			t.Errorf("%q: %v", path, err)
		}
		unlock()
	}
	waiting := make(chan error)
	go func() {
		unlock, err := lockFile(two, 10*time.Second)
		unlock()
		waiting <- err
	}()
	unlock()
	if err := <-waiting; err != nil {
		t.Error(err)
	}
}

// A recording whose file stays locked is saved beside it, and what is in the file stays.
func TestRecordingOfALockedFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "profile.json")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	unlock, err := lockFile(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	_, locked := lockFile(path, 0)
	if locked == nil {
		t.Fatal("locked twice")
	}
	var out strings.Builder
	a := newApp(nil, &out, &out)
	a.report(nil, a.putOrRescue(&output{path}, []byte("recorded"), locked))
	saved, err := filepath.Glob(filepath.Join(dir, "profile-*.json"))
	if err != nil || len(saved) != 1 {
		t.Fatalf("%q, error %v", saved, err)
	}
	for file, want := range map[string]string{path: "mine", saved[0]: "recorded"} {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s has %q, error %v; want %q", file, got, err, want)
		}
	}
	want := "seccompile: " + locked.Error() + "\nseccompile: hint: what was recorded is in " + saved[0] + "\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
