package programs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// programs are the programs that must run under their recordings.
func programs() []program {
	return []program{
		{name: "pipeline", run: pipeline},
		{name: "python3", needs: "/usr/bin/python3 python3", run: python},
		{name: "redis", needs: "redis-server redis-server", run: redis},
		{name: "nginx", needs: "nginx nginx-light", run: nginx},
		{name: "node", needs: "node nodejs", run: node},
		{name: "go", run: goServer},
		{name: "java", needs: "java default-jre-headless", slow: true, run: java},
		{name: "chromium", needs: "chromium chromium", slow: true, run: chromium},
		{name: "postgres", needs: "pg_ctlcluster postgresql", slow: true, run: postgres},
	}
}

func pipeline(s *session) error {
	var words strings.Builder
	for i := range 200_000 { // sort starts threads from 131,072 lines on
		fmt.Fprintln(&words, i*7919%1000)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "words"), []byte(words.String()), 0o644); err != nil {
		return err
	}
	return s.output("1000", "sh", "-c", "sort words | uniq | wc -l")
}

func python(s *session) error { return s.output("all done", "/usr/bin/python3", testdata("main.py")) }

func node(s *session) error { return s.output("all done", "node", testdata("main.js"), s.dir) }

func java(s *session) error { return s.output("all done", "java", "-Xmx64m", "-cp", s.classes, "Main") }

func chromium(s *session) error {
	return s.output("sum 499500", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir="+s.dir,
		"--dump-dom", "data:text/html,<p id=p></p><script>let n=0;for(let i=0;i<1000;i++)n+=i;p.textContent='sum '+n</script>")
}

// testdata returns the absolute path of a file there.
func testdata(name string) string {
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		panic(err)
	}
	return path
}

// server runs a server, waits for its socket, drives it, and waits for its end.
func (s *session) serve(cmd *exec.Cmd, socket string, drive func() error) error {
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	err := awaitSocket(s.ctx, socket, ended)
	if err == nil {
		err = drive()
	}
	if err != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if err := errors.Join(err, <-ended); err != nil {
		return fmt.Errorf("%w\n%s", err, log.String())
	}
	return nil
}

// awaitSocket waits until a server accepts connections.
func awaitSocket(ctx context.Context, socket string, ended chan error) error {
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			return conn.Close()
		}
		select {
		case err := <-ended:
			ended <- err
			return errors.New("the server ended")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// several runs a function in several goroutines.
func several(n int, run func() error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = run() })
	}
	all.Wait()
	return errors.Join(errs...)
}

func redis(s *session) error {
	socket := filepath.Join(s.dir, "socket")
	cmd := s.command("redis-server", "--port", "0", "--unixsocket", socket, "--dir", s.dir, "--save", "", "--appendonly", "yes", "--io-threads", "2")
	return s.serve(cmd, socket, func() error {
		err := several(8, func() error {
			return commands(socket, "+PONG", "PING", 20, "SET a 1", "INCR n", "LPUSH l x", "GET a", "PING")
		})
		return errors.Join(err, commands(socket, "+Background", "BGSAVE", 1), commands(socket, "", "SHUTDOWN NOSAVE", 1))
	})
}

// commands sends commands to redis some times, and another one whose reply begins with a
// text. No text means that the server ends without one.
func commands(socket, want, last string, times int, list ...string) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	replies := bufio.NewScanner(conn)
	for range times {
		for _, c := range list {
			fmt.Fprintf(conn, "%s\r\n", c)
			if !replies.Scan() || strings.HasPrefix(replies.Text(), "-") {
				return fmt.Errorf("redis: %s: %q, %v", c, replies.Text(), replies.Err())
			}
			if strings.HasPrefix(replies.Text(), "$") {
				replies.Scan()
			}
		}
	}
	fmt.Fprintf(conn, "%s\r\n", last)
	if replies.Scan(); !strings.HasPrefix(replies.Text(), want) {
		return fmt.Errorf("redis: %s: %q, %v", last, replies.Text(), replies.Err())
	}
	return nil
}

const nginxConf = `
daemon off;
worker_processes 2;
pid %[1]s/pid;
error_log stderr;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server {
		listen unix:%[1]s/socket;
		root %[1]s;
		sendfile on;
		aio threads;
	}
}
`

func nginx(s *session) error {
	conf, page := filepath.Join(s.dir, "nginx.conf"), strings.Repeat("page\n", 20_000)
	err := errors.Join(os.WriteFile(conf, fmt.Appendf(nil, nginxConf, s.dir), 0o644), os.WriteFile(filepath.Join(s.dir, "page"), []byte(page), 0o644))
	if err != nil {
		return err
	}
	socket := filepath.Join(s.dir, "socket")
	get := func() error { return fetch("unix", socket, "/page", 5, len(page)) }
	cmd := s.command("nginx", "-e", "stderr", "-c", conf)
	return s.serve(cmd, socket, func() error {
		err := several(8, get)
		return errors.Join(err, cmd.Process.Signal(syscall.SIGHUP), several(8, get), cmd.Process.Signal(syscall.SIGQUIT))
	})
}

// fetch gets a page some times and checks its size.
func fetch(network, addr, path string, times, size int) error {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport}
	for range times {
		resp, err := client.Get("http://server" + path)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil || resp.StatusCode != http.StatusOK || int(n) != size {
			return fmt.Errorf("%s: %s, %d bytes, %v", path, resp.Status, n, err)
		}
	}
	return nil
}

func goServer(s *session) error {
	socket := filepath.Join(s.dir, "socket")
	return s.serve(s.command(s.server, socket), socket, func() error {
		err := several(8, func() error { return fetch("unix", socket, "/", 10, 1<<14) })
		return errors.Join(err, fetch("unix", socket, "/quit", 1, 0))
	})
}

const postgresScript = `
set -e
export PATH=$1:$PATH PGHOST=$PWD PGUSER=postgres PGDATABASE=postgres
initdb -D data -A trust -U postgres -N >/dev/null
trap 'pg_ctl -D data -m immediate stop >/dev/null 2>&1 || true' EXIT
pg_ctl -D data -w -t 300 -l log -o "-k $PWD -h ''" start >/dev/null
pgbench -i -s 1 -q 2>/dev/null
pgbench -c 4 -j 2 -t 20
psql -q -c 'vacuum analyze' -c checkpoint
pg_ctl -D data -w -t 300 stop >/dev/null
trap - EXIT
echo all done
`

func postgres(s *session) error {
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(bins) == 0 {
		return fmt.Errorf("no /usr/lib/postgresql/*/bin, %v", err)
	}
	cmd := s.command("sh", "-c", postgresScript, "sh", bins[len(bins)-1])
	if os.Getuid() == 0 { // initdb refuses root
		u, err := user.Lookup("postgres")
		if err != nil {
			return err
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2, os.Chown(s.dir, uid, gid)); err != nil {
			return err
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	out, err := cmd.CombinedOutput()
	if err == nil && !strings.Contains(string(out), "all done") {
		err = errors.New("not done")
	}
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("%w\n%s%s", err, out, log)
	}
	return nil
}
