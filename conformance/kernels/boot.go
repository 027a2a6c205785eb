package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/kernels/internal/console"
)

// A session is one boot of a guest.
type session struct {
	lines []console.Line // what the guest reported
	log   string         // file with all that it wrote on its console
	took  time.Duration
	err   error // why it did not come to its end
}

// A machine is what boots guests.
type machine struct {
	dir     string // for initramfs and logs
	quiet   bool   // only the kernel's worst messages
	timeout time.Duration
	loong   string // qemu and firmware of loong64
}

// boot boots a guest and lets it run to its end.
func (m *machine) boot(ctx context.Context, g *guest, k kernel, initrd, name string) session {
	s := session{log: filepath.Join(m.dir, name+".log")}
	start := time.Now()
	s.lines, s.err = m.run(ctx, m.command(g, k, initrd), s.log)
	s.took = time.Since(start)
	return s
}

// command returns qemu's command line.
func (m *machine) command(g *guest, k kernel, initrd string) []string {
	args := strings.Fields(g.machine)
	if g.native == arch.LoongArch64 {
		args = append(strings.Fields(m.loong), args[1:]...)
	}
	args = append(args, "-nographic", "-nodefaults", "-no-reboot", "-monitor", "none")
	if g.native == arch.S390X {
		args = append(args, "-chardev", "stdio,id=c0", "-device", "sclpconsole,chardev=c0")
	} else {
		args = append(args, "-serial", "stdio")
	}
	if k.dtb != "" {
		args = append(args, "-dtb", k.dtb)
	}
	level := "loglevel=7"
	if m.quiet {
		level = "quiet loglevel=3"
	}
	line := strings.Join(strings.Fields("console="+g.console+" "+level+" panic=-1 rdinit=/init "+g.append), " ")
	return append(args, "-kernel", k.image, "-initrd", initrd, "-append", line)
}

// run runs qemu until the guest has ended, and returns what it reported. The
// console goes into a file.
func (m *machine) run(ctx context.Context, args []string, logFile string) ([]console.Line, error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	fmt.Fprintln(log, strings.Join(args, " "))
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = 5 * time.Second
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines, ended, readErr := listen(io.TeeReader(out, log), cancel)
	err = cmd.Wait()
	switch {
	case ended:
		return lines, nil // some boards cannot leave by themselves
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("not at its end after %v: %w", m.timeout, context.DeadlineExceeded)
	case err == nil:
		err = errors.New("qemu ended before the guest did")
	}
	if len(lines) == 0 {
		err = fmt.Errorf("did not come up: %w", err)
	}
	return lines, errors.Join(err, readErr)
}

// listen collects a guest's reports until its console is closed. When the guest
// has ended, it calls stop after a grace period.
func listen(r io.Reader, stop func()) (lines []console.Line, ended bool, err error) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		l, ok := console.Parse(in.Text())
		if !ok {
			continue
		}
		lines = append(lines, l)
		if l.Kind == console.End {
			ended = true
			t := time.AfterFunc(3*time.Second, stop)
			defer t.Stop()
		}
	}
	return lines, ended, in.Err()
}
