// Command page builds the playground of web/ in a checkout, for make web: web/dist, and the
// copy of its site in internal/webpage for builds of the command with the tag webpage.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/seccompile/seccompile/tools/release/internal/page"
)

func main() {
	root := flag.String("C", "../..", "the checkout is in `directory`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	built, err := page.Build(ctx, page.Options{Root: *root, Log: os.Stderr})
	stop()
	if err == nil {
		err = page.Judge(os.Stdout, built.Sizes)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
