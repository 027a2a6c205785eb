package webpage

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

const index = `<!doctype html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src &#39;none&#39;;
  script-src 'self'; ">
`

func compressed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// server returns a handler of a page whose files are plain and compressed, and one that
// must stay hidden.
func server(t *testing.T) http.Handler {
	t.Helper()
	h, err := Handler(fstest.MapFS{
		"index.html.gz":   {Data: compressed(t, index)},
		"app-1.js":        {Data: []byte("let x")},
		"engine-1.wasm":   {Data: []byte("\x00asm")},
		"assets/a.css.gz": {Data: compressed(t, "a{}")},
		"broken.css.gz":   {Data: []byte("a{}")},
		"unknown.xyz":     {Data: []byte("<script>")},
		".git/config":     {Data: []byte("secret")},
		"assets/.env":     {Data: []byte("secret")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(h http.Handler, method, target string, header ...string) *http.Response {
	r := httptest.NewRequest(method, "http://127.0.0.1:7322"+target, nil)
	for i := 0; i < len(header); i += 2 {
		if r.Header.Add(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestAnswers(t *testing.T) {
	h := server(t)
	for _, tt := range []struct {
		target, accept     string
		typ, coding, plain string
	}{
		{"/", "gzip, deflate, br", "text/html; charset=utf-8", "gzip", index},
		{"/index.html", "", "text/html; charset=utf-8", "", index},
		{"/?x", "br", "text/html; charset=utf-8", "", index},
		{"/", "gzip;q=0", "text/html; charset=utf-8", "", index},
		{"/", "br, GZIP ; q=0.5", "text/html; charset=utf-8", "gzip", index},
		{"/assets/a.css", "gzip", "text/css; charset=utf-8", "gzip", "a{}"},
		{"/app-1.js", "gzip", "text/javascript; charset=utf-8", "", "let x"},
		{"/engine-1.wasm", "gzip", "application/wasm", "", "\x00asm"},
		{"/unknown.xyz", "", "application/octet-stream", "", "<script>"},
	} {
		t.Run(tt.target+" "+tt.accept, func(t *testing.T) {
			r := ask(h, "GET", tt.target, "Accept-Encoding", tt.accept)
			if r.StatusCode != 200 || r.Header.Get("Content-Type") != tt.typ || r.Header.Get("Content-Encoding") != tt.coding {
				t.Errorf("%s, type %q, coding %q", r.Status, r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"))
			}
			body, err := io.ReadAll(r.Body)
			if err == nil && tt.coding != "" {
				body, err = unzip(body)
			}
			if err != nil || string(body) != tt.plain {
				t.Errorf("%q, %v", body, err)
			}
			if got, want := r.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; frame-ancestors 'none'"; got != want {
				t.Errorf("policy %q, want %q", got, want)
			}
			if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Cache-Control") != "no-cache" {
				t.Errorf("%v", r.Header)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	h := server(t)
	for _, tt := range []struct {
		method, target, host string
		want                 int
	}{
		{"GET", "/", "attacker.example", 421},
		{"GET", "/", "attacker.example:7322", 421},
		{"GET", "/", "127.0.0.1.attacker.example", 421},
		{"GET", "/", "localhost.", 421},
		{"GET", "/", "0.0.0.0:7322", 421},
		{"GET", "/", "", 421},
		{"GET", "/", "LocalHost:7322", 200},
		{"GET", "/", "localhost", 200},
		{"GET", "/", "[::1]:7322", 200},
		{"GET", "/", "[::1]", 200},
		{"POST", "/", "localhost", 405},
		{"OPTIONS", "/", "localhost", 405},
		{"GET", "/missing", "localhost", 404},
		{"GET", "/assets", "localhost", 404},
		{"GET", "/assets/", "localhost", 404},
		{"GET", "/../server.go", "localhost", 404},
		{"GET", "//index.html", "localhost", 404},
		{"GET", "/.git/config", "localhost", 404},
		{"GET", "/assets/.env", "localhost", 404},
		{"GET", "/broken.css", "localhost", 500},
	} {
		r := ask(h, tt.method, tt.target, "Host", tt.host)
		body, _ := io.ReadAll(r.Body)
		if r.StatusCode != tt.want || bytes.Contains(body, []byte("secret")) {
			t.Errorf("%s %s of %q: %s, want %d", tt.method, tt.target, tt.host, r.Status, tt.want)
		}
	}
}

// What a browser has is not sent again, and another form of it is.
func TestRevalidation(t *testing.T) {
	h := server(t)
	first := ask(h, "GET", "/", "Accept-Encoding", "gzip")
	if tag := first.Header.Get("ETag"); tag == "" {
		t.Error("no ETag")
	} else if r := ask(h, "GET", "/", "Accept-Encoding", "gzip", "If-None-Match", tag); r.StatusCode != 304 {
		t.Errorf("the same again: %s", r.Status)
	} else if r := ask(h, "GET", "/", "If-None-Match", tag); r.StatusCode != 200 {
		t.Errorf("the same, not compressed: %s", r.Status)
	}
	if r := ask(h, "HEAD", "/app-1.js"); r.StatusCode != 200 || r.Header.Get("Content-Length") != "5" {
		t.Errorf("HEAD: %s, %v", r.Status, r.Header)
	}
}

func TestCaching(t *testing.T) {
	for name, want := range map[string]string{
		"index.html": "no-cache", "engine-1.wasm": "no-cache", "page-0123456789ab.txt": "max-age=31536000, immutable", "x-0123456789ab": "no-cache",
	} {
		if got := caching(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestNotAPage(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"empty":            {},
		"without a policy": {"index.html": {Data: []byte("<html>")}},
		"broken":           {"index.html.gz": {Data: []byte("<html>")}},
		"a directory":      {"index.html/x": {Data: []byte("x")}},
	} {
		if h, err := Handler(files); err == nil || h != nil {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
}

// A link in a directory does not lead out of it.
func TestLinks(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret.txt")
	dir := t.TempDir()
	for name, text := range map[string]string{outside: "secret", filepath.Join(dir, "index.html"): index} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "out.txt")); err != nil {
		t.Skip(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	h, err := Handler(root.FS())
	if err != nil {
		t.Fatal(err)
	}
	if r := ask(h, "GET", "/out.txt"); r.StatusCode != 404 {
		t.Error(r.Status)
	}
	// It is built again, and not whole.
	if err := os.Remove(filepath.Join(dir, "index.html")); err != nil {
		t.Fatal(err)
	}
	if r := ask(h, "GET", "/"); r.StatusCode != 503 {
		t.Error(r.Status)
	}
}

func TestServe(t *testing.T) {
	list, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	h, done := server(t), make(chan error)
	go func() { done <- Serve(ctx, list, h) }()
	for _, l := range list {
		r, err := http.Get(fmt.Sprintf("http://%v/", l.Addr()))
		if err != nil || r.StatusCode != 200 {
			t.Fatal(r, err)
		}
		text, err := io.ReadAll(r.Body)
		if err != nil || !strings.HasPrefix(string(text), "<!doctype html>") {
			t.Errorf("%v: %q, %v", l.Addr(), text, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, l := range list {
		if _, err := http.Get(fmt.Sprintf("http://%v/", l.Addr())); err == nil {
			t.Errorf("%v still answers", l.Addr())
		}
	}
	if err := Serve(t.Context(), list, server(t)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed listeners: %v", err)
	}
}

// One port serves localhost, whichever of its addresses a browser takes.
func TestListen(t *testing.T) {
	list, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		for _, l := range list {
			l.Close()
		}
	}()
	port := list[0].Addr().(*net.TCPAddr).Port
	if _, err := Listen(uint16(port)); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port that is taken: %v", err)
	}
	if len(list) != 2 {
		t.Skipf("this machine has %v alone", list[0].Addr())
	}
	for i, host := range loopback {
		if got, want := list[i].Addr().String(), net.JoinHostPort(host, strconv.Itoa(port)); got != want {
			t.Errorf("it listens on %s, want %s", got, want)
		}
	}
	// Another program has one of the two: the other is not kept.
	for i := range list {
		list[i].Close()
		if _, err := Listen(uint16(port)); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s free alone: %v", loopback[i], err)
		}
		if list[i], err = net.Listen("tcp", net.JoinHostPort(loopback[i], strconv.Itoa(port))); err != nil {
			t.Fatal(err)
		}
	}
}

// A build with the tag has the page in it, and it is one.
func TestEmbedded(t *testing.T) {
	files := Embedded()
	if files == nil {
		t.Skip("built without the tag webpage")
	}
	h, err := Handler(files)
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(files, "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		plain, ok := strings.CutSuffix(name, ".gz")
		if r := ask(h, "GET", "/"+plain); !ok || r.StatusCode != 200 {
			t.Errorf("%s: %s", name, r.Status)
		}
	}
}
