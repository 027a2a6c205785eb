package presets

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/internal/debian"
	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/preset"
)

var update = flag.Bool("update", false, "rewrite the filters that the tests of package preset have of flatpak's")

// TestMain is also the bubblewrap that flatpak starts: it keeps the filter that it is given.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "bwrap" {
		if err := keep(filepath.Dir(os.Args[0]), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// keep writes to a directory what the descriptor of --seccomp has. Some of bubblewrap's
// arguments are in what the descriptor of --args has.
func keep(dir string, args []string) error {
	for i := 0; i+1 < len(args); i++ {
		if args[i] != "--args" && args[i] != "--seccomp" {
			continue
		}
		fd, err := strconv.Atoi(args[i+1])
		if err != nil {
			return err
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d", fd))
		if err != nil {
			return err
		}
		if args[i] == "--seccomp" {
			return os.WriteFile(filepath.Join(dir, "filter"), b, 0o644)
		}
		args = append(args, strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")...)
	}
	return nil // a trigger, which runs without a filter
}

// TestFlatpak runs flatpak itself, of two releases of Debian's and for five ABIs: it must
// give bubblewrap the filters that the tests of package preset have.
func TestFlatpak(t *testing.T) {
	if os.Getenv("SECCOMPILE_FLATPAK") == "" {
		t.Skip("fetches some 130 packages of Debian's for each of seven flatpaks: SECCOMPILE_FLATPAK=1 asks for it")
	}
	for abi, machine := range map[arch.ABI]struct{ deb, flatpak, qemu string }{
		arch.X86_64:  {"amd64", "x86_64", "x86_64"},
		arch.AArch64: {"arm64", "aarch64", "aarch64"},
		arch.RISCV64: {"riscv64", "riscv64", "riscv64"},
		arch.ARM:     {"armhf", "arm", "arm"},
		arch.X86:     {"i386", "i386", "i386"},
	} {
		t.Run(abi.String(), func(t *testing.T) {
			var emulator []string
			if abi != arch.Native() {
				emulator = []string{need.Program(t, "qemu-"+machine.qemu+"-static", "qemu-user-static")}
			}
			var got []byte
			for _, suite := range []string{"bookworm", "trixie"} {
				if suite == "bookworm" && abi != arch.X86_64 && abi != arch.AArch64 {
					continue
				}
				root, err := debian.Installed(t.Context(), "flatpak-"+suite+"-"+machine.deb, suite, machine.deb, "flatpak")
				if err != nil {
					t.Fatal(err)
				}
				command := append(emulator, debian.Command(root, filepath.Join(root, "usr/bin/flatpak"))...)
				got = append(got, flatpakFilters(t, command, machine.flatpak)...)
			}
			file := filepath.Join("../../preset/testdata/flatpak", abi.String()+".txt")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: has other filters, error %v (if flatpak has a new release, add it to package preset)", file, err)
			}
		})
	}
}

// flatpakFilters installs a program that flatpak never gets to start, starts it with each
// set of features, and returns a line for each, as the file for the ABI has it.
func flatpakFilters(t *testing.T, command []string, machine string) []byte {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "bwrap")); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), command[0], append(slices.Clone(command[1:]), args...)...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=" + dir, "FLATPAK_BWRAP=" + filepath.Join(dir, "bwrap"), "FLATPAK_TRIGGERSDIR=" + dir + "/none", "XDG_RUNTIME_DIR=" + dir,
			"FLATPAK_USER_DIR=" + dir + "/user", "FLATPAK_SYSTEM_DIR=" + dir + "/system", "FLATPAK_CONFIG_DIR=" + dir + "/etc", "GIO_USE_VFS=local"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("flatpak %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	runtime := "runtime=org.example.Platform/" + machine + "/master\n"
	for name, text := range map[string]string{
		"platform/usr/file": "", "platform/files/file": "", "program/files/file": "", "program/export/file": "",
		"platform/metadata": "[Runtime]\nname=org.example.Platform\n" + runtime,
		"program/metadata":  "[Application]\nname=org.example.Program\ncommand=true\n" + runtime,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run("build-export", "--no-update-summary", "--runtime", "repo", "platform", "master")
	run("build-export", "--no-update-summary", "repo", "program", "master")
	run("build-update-repo", "repo")
	run("--user", "remote-add", "--no-gpg-verify", "here", "repo")
	run("--user", "-y", "--noninteractive", "install", "here", "org.example.Program")
	release := "flatpak@" + strings.TrimSpace(strings.TrimPrefix(run("--version"), "Flatpak "))
	var lines []byte
	for _, name := range preset.Names() {
		if origin, flags, _ := strings.Cut(name, "+"); origin == release {
			args := []string{"run", "--user"}
			for flag := range strings.FieldsSeq(strings.ReplaceAll(flags, "+", " ")) {
				args = append(args, "--allow="+flag)
			}
			run(append(args, "org.example.Program")...)
			filter, err := os.ReadFile(filepath.Join(dir, "filter"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(dir, "filter")); err != nil {
				t.Fatal(err)
			}
			lines = fmt.Appendf(lines, "%s %s\n", name, base64.StdEncoding.EncodeToString(filter))
		}
	}
	return lines
}
