package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// Packages fetches the newest versions of packages of one release, for this machine, and
// returns the root directory that they are unpacked in. It is in the user's cache, where
// it stays: delete it to fetch them anew. Programs in it run with its own libraries, see
// [Command].
func Packages(ctx context.Context, name, release string, packages ...string) (root string, err error) {
	return fetch(ctx, name, release, runtime.GOARCH, append([]string{"download"}, packages...))
}

// Installed is [Packages] with all that the packages depend on, for any architecture of
// Debian's.
func Installed(ctx context.Context, name, release, debArch string, packages ...string) (root string, err error) {
	return fetch(ctx, name, release, debArch, append([]string{"install", "-y", "--no-install-recommends", "--download-only"}, packages...))
}

// fetch unpacks what a command of apt-get's leaves in its directory for packages.
func fetch(ctx context.Context, name, release, debArch string, command []string) (root string, err error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	root = filepath.Join(base, "seccompile", name)
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(root), "fetch-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	mirror, err := FindMirror(ctx)
	if err != nil {
		return "", err
	}
	a := &Archive{Dir: filepath.Join(tmp, "apt"), Patience: 5 * time.Minute}
	if err := a.Open(ctx, Sources(mirror, release)[0], debArch, "Signed-By: "+Keyring); err != nil {
		return "", err
	}
	debs, made := filepath.Join(a.Dir, "cache/archives"), filepath.Join(tmp, "made")
	if err := os.Mkdir(made, 0o755); err != nil {
		return "", err
	}
	if _, err := a.Run(ctx, debs, append([]string{"apt-get", "-q"}, command...)...); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("apt-get left no packages: %v", err)
	}
	for _, deb := range files {
		if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", deb, made).CombinedOutput(); err != nil {
			return "", fmt.Errorf("dpkg-deb: %w: %s", err, Tail(string(out), 1))
		}
	}
	return root, os.Rename(made, root)
}

// Command returns the words that run a program with the libraries and the loader of the
// packages in a root directory, whatever those of this machine are.
func Command(root, program string) []string {
	loaders, _ := filepath.Glob(filepath.Join(root, "usr/lib/*/ld-linux*.so.*"))
	if len(loaders) == 0 { // Debian until bookworm
		loaders, _ = filepath.Glob(filepath.Join(root, "lib/*/ld-linux*.so.*"))
	}
	if len(loaders) != 1 {
		return []string{program} // which then does not find the libraries
	}
	triplet := filepath.Base(filepath.Dir(loaders[0]))
	libraries := filepath.Join(root, "usr/lib", triplet) + ":" + filepath.Join(root, "lib", triplet)
	return []string{loaders[0], "--library-path", libraries, program}
}
