// Httpsrv serves HTTP on loopback and is its own client.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

func main() {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(l, http.FileServer(http.Dir(".")))) }()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { get("http://" + l.Addr().String() + "/") })
	}
	all.Wait()
	fmt.Println("all done")
}

func get(url string) {
	resp, err := http.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		log.Fatal(err)
	}
}
