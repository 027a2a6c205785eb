// Package webpage serves the playground, the page of web/, to browsers on this machine.
package webpage

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/netutil"
)

// A page is the files that make web builds: each as it is, or compressed under its name
// with .gz.
type page struct{ files fs.FS }

// indexFile is what a browser asks for first.
const indexFile = "index.html"

// maxFile is far above the largest file of a page, its engine of some 15 MB.
const maxFile = 64 << 20

// Handler returns a server of a page. It answers requests that name this machine as
// localhost alone: a foreign page whose name leads to 127.0.0.1 gets nothing. Each answer
// has the content security policy of index.html, which in a <meta> cannot forbid frames and
// does not reach workers. An error
// says what the files lack to be a page.
func Handler(files fs.FS) (http.Handler, error) {
	p := &page{files}
	if _, err := p.policy(); err != nil {
		return nil, err
	}
	return p, nil
}

// maxConnections is how many a browser with several windows does not reach on one address. Each
// may hold a file in memory.
const maxConnections = 32

// Serve answers on listeners until the context ends or one of them fails, and closes them.
func Serve(ctx context.Context, list []net.Listener, handler http.Handler) error {
	s := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      5 * time.Minute,
		IdleTimeout:       5 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // of what clients do wrong
	}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	ended := make(chan error)
	for _, l := range list {
		go func() { ended <- s.Serve(netutil.LimitListener(l, maxConnections)) }()
	}
	var failed error
	for range list {
		if err := <-ended; failed == nil && !errors.Is(err, http.ErrServerClosed) {
			failed = err
		}
		s.Close()
	}
	return failed
}

// ServeHTTP implements http.Handler.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if !local(r.Host) {
		http.Error(w, "this server is for http://localhost alone", http.StatusMisdirectedRequest)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "GET and HEAD are all that this server knows", http.StatusMethodNotAllowed)
		return
	}
	policy, err := p.policy()
	if err != nil { // it was built again, and is not whole yet
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = indexFile
	}
	p.answer(w, r, name)
}

// answer sends a file, compressed where it is and the client takes that.
func (p *page) answer(w http.ResponseWriter, r *http.Request, name string) {
	f, err := p.open(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", caching(name))
	if f.compressed {
		h.Set("Vary", "Accept-Encoding")
		if accepts(r.Header.Values("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
		} else if f.data, err = unzip(f.data); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	sum := sha256.Sum256(f.data)
	h.Set("ETag", fmt.Sprintf(`"%x"`, sum[:16]))
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(f.data))
}

// caching says how long a browser may keep a file: one that is named by its content for good,
// so that the page can start its engine again when this server has ended; others are asked
// about each time.
func caching(name string) string {
	if regexp.MustCompile(`-[0-9a-f]{12}\.\w+$`).MatchString(name) {
		return "max-age=31536000, immutable"
	}
	return "no-cache"
}

// local reports whether a request's Host is a name of this machine that only it can have.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1", "[::1]"}, strings.ToLower(host))
}

// A file is one of a page.
type file struct {
	data       []byte
	compressed bool
}

// open reads a file of the page. Those that are hidden belong to others.
func (p *page) open(name string) (file, error) {
	if !fs.ValidPath(name) || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") {
		return file{}, fs.ErrNotExist
	}
	data, err := read(p.files, name)
	if err == nil {
		return file{data: data}, nil
	}
	if data, err := read(p.files, name+".gz"); err == nil {
		return file{data, true}, nil
	}
	return file{}, err
}

// read reads a regular file of reasonable size.
func read(files fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s: not a regular file of at most %d MiB", name, maxFile>>20)
	}
	return fs.ReadFile(files, name)
}

func unzip(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, maxFile))
}

// policy returns the content security policy of index.html, with what only a header can say.
func (p *page) policy() (string, error) {
	f, err := p.open(indexFile)
	if err == nil && f.compressed {
		f.data, err = unzip(f.data)
	}
	if err != nil {
		return "", err
	}
	meta := regexp.MustCompile(`<meta\s+http-equiv="Content-Security-Policy"\s+content="([^"]+)"`).FindSubmatch(f.data)
	if meta == nil {
		return "", &fs.PathError{Op: "read", Path: indexFile, Err: errors.New("not a page that make web builds: it has no content security policy")}
	}
	policy := strings.Join(strings.Fields(html.UnescapeString(string(meta[1]))), " ") // a header is one line
	return strings.TrimRight(policy, "; ") + "; frame-ancestors 'none'", nil
}

// contentType returns the type of what make web builds, whatever this machine's tables say.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".json":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".wasm":
		return "application/wasm"
	}
	return "application/octet-stream"
}

// accepts reports whether Accept-Encoding has gzip, and not with a weight of zero.
func accepts(values []string) bool {
	for coding := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return !regexp.MustCompile(`^\s*q=0(\.0*)?\s*$`).MatchString(weight)
		}
	}
	return false
}
