package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// browse prints what a server answers. It takes the file in which the server's address is,
// or will be in a moment, a path, and the name by which to call the server, if another.
func browse() {
	if err := browseTo(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "browse:", err)
		os.Exit(1)
	}
}

func browseTo(file, path string, host []string) error {
	address, err := awaitLine(file)
	if err != nil {
		return err
	}
	r, err := http.NewRequest(http.MethodGet, address+path, nil)
	if err != nil {
		return err
	}
	r.Host = strings.Join(host, "")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status)
	fmt.Println(answer.Header.Get("Content-Type"))
	fmt.Println(answer.Header.Get("Content-Security-Policy"))
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}

// awaitLine returns the line that a file has in it, or will have.
func awaitLine(file string) (string, error) {
	const patience = 5 * time.Minute
	for start := time.Now(); time.Since(start) < patience; time.Sleep(10 * time.Millisecond) {
		if text, err := os.ReadFile(file); err == nil && strings.HasSuffix(string(text), "\n") {
			return strings.TrimSpace(string(text)), nil
		}
	}
	return "", fmt.Errorf("%s: still no address in it after %v", file, patience)
}
