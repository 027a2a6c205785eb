// Command release makes what a release of seccompile consists of, and signs it.
//
//	go run . build -version v0.1.0 -o DIR    write archives, packages, SBOMs, provenance and checksums
//	go run . sign -key cosign.key DIR        sign the checksums and the provenance
//
// What build writes depends on the commit and the version alone: whoever builds the same
// commit again, in any directory, gets the same bytes. docs/RELEASING.md says how a release
// is made, and seccompile-verify.sh checks one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "release: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	usage := errors.New("expected build -version VERSION -o DIR, or sign -key KEY DIR")
	if len(args) == 0 {
		return usage
	}
	flags := flag.NewFlagSet("release "+args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	switch args[0] {
	case "build":
		root := flags.String("C", "../..", "the checkout is in `directory`")
		version := flags.String("version", "", "the release's `version`, as in v0.1.0")
		out := flags.String("o", "", "write the release to `directory`, which must not exist")
		dirty := flags.Bool("dirty", false, "build even if files differ from the commit: such a release cannot be signed")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		if *version == "" || *out == "" || flags.NArg() != 0 {
			return usage
		}
		src, err := openSource(ctx, *root, *version, *dirty)
		if err != nil {
			return err
		}
		return build(ctx, src, *out, func(name string) { fmt.Fprintln(stderr, name) })
	case "sign":
		key := flags.String("key", "", "cosign's private `key`: a file, or where a key service has it")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		if *key == "" || flags.NArg() != 1 {
			return usage
		}
		return sign(ctx, *key, flags.Arg(0), stderr)
	}
	return usage
}
