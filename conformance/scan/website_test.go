package scan

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// website starts the HTTP server that scripts find as $HTTP.
func website(t *testing.T) *httptest.Server {
	s := httptest.NewServer(pages())
	t.Cleanup(s.Close)
	return s
}

// secure starts the HTTPS server that scripts find as $HTTPS. Nobody knows who issued its
// certificate.
func secure(t *testing.T) *httptest.Server {
	s := httptest.NewUnstartedServer(pages())
	s.Config.ErrorLog = discard()
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello\n") })
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("a line of a page\n", 50_000))
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	mux.Handle("/elsewhere", http.RedirectHandler("/hello", http.StatusFound))
	return mux
}
