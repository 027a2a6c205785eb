package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// A workload runs a program behind a command, such as strace's, in a folder of its own,
// until it has done a number of units, and returns how that ended.
type workload struct {
	name  string
	unit  string
	units int // of a run whose time counts
	few   int // of a run that is recorded, call by call
	run   func(command []string, dir string, units int) (*os.ProcessState, error)
}

func workloads(only *regexp.Regexp) []workload {
	var list []workload
	for _, w := range []workload{
		{"redis", "request of redis-benchmark", 20_000, 5_000, redis},
		{"nginx", "request of ab", 8_000, 2_000, nginx},
		{"pipe", "block of 512 bytes", 60_000, 5_000, pipe},
		{"build", "file in C", 3, 3, build},
	} {
		if only.MatchString(w.name) {
			list = append(list, w)
		}
	}
	return list
}

// patience is how long a server may take to start or to end.
const patience = time.Minute

// serve runs a server until what drives it is done.
func serve(command []string, network, address string, drive *exec.Cmd) (*os.ProcessState, error) {
	server := exec.Command(command[0], command[1:]...)
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := server.Start(); err != nil {
		return nil, err
	}
	hung := time.AfterFunc(2*patience, func() { _ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL) })
	defer hung.Stop()
	err := await(network, address)
	if err == nil {
		out, driven := drive.CombinedOutput()
		if driven != nil {
			err = fmt.Errorf("%w\n%s", driven, out)
		}
	}
	// All of the group: strace and record pass the signal on, or have done so by ending last.
	_ = syscall.Kill(-server.Process.Pid, syscall.SIGTERM)
	ended := server.Wait()
	if err != nil {
		return nil, errors.Join(err, ended, errors.New(log.String()))
	}
	return server.ProcessState, nil
}

// await waits until somebody listens.
func await(network, address string) error {
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial(network, address)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(end) {
			return err
		}
	}
}

func redis(command []string, dir string, units int) (*os.ProcessState, error) {
	socket := filepath.Join(dir, "redis")
	return serve(append(command, "redis-server", "--port", "0", "--unixsocket", socket, "--dir", dir, "--save", ""), "unix", socket,
		exec.Command("redis-benchmark", "-s", socket, "-q", "-c", "10", "-t", "set,get", "-n", strconv.Itoa(units/2)))
}

const nginxConf = `
daemon off;
user root;
worker_processes 1;
pid %[1]s/pid;
error_log stderr;
events { worker_connections 64; }
http {
	access_log off;
	keepalive_requests 1000000;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server { listen %[2]s; root %[1]s; sendfile on; }
}
`

func nginx(command []string, dir string, units int) (*os.ProcessState, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := errors.Join(os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, address), 0o644),
		os.WriteFile(filepath.Join(dir, "page"), make([]byte, 4096), 0o644)); err != nil {
		return nil, err
	}
	return serve(append(command, "nginx", "-c", conf), "tcp", address,
		exec.Command("ab", "-q", "-k", "-c", "8", "-n", strconv.Itoa(units), "http://"+address+"/page"))
}

// run runs a program that ends by itself.
func run(command []string, dir string) (*os.ProcessState, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return cmd.ProcessState, nil
}

func pipe(command []string, dir string, units int) (*os.ProcessState, error) {
	return run(append(command, "sh", "-c", fmt.Sprintf("dd if=/dev/zero bs=512 count=%d | cat >/dev/null", units)), dir)
}

func build(command []string, dir string, units int) (*os.ProcessState, error) {
	for i := range units {
		text := fmt.Sprintf("#include <stdio.h>\n#include <stdlib.h>\nint f%d(int n) { return printf(\"%%d\", n) + atoi(\"%d\"); }\n", i, i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d.c", i)), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return run(append(command, "sh", "-c", "for f in f*.c; do cc -O1 -c $f || exit; done; ar rc lib.a f*.o"), dir)
}
