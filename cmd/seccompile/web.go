package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/webpage"
)

// webPort is the port of seccompile web: always the same, so that links last.
const webPort = 7322

func (a *app) webCommand() *cobra.Command {
	var port uint16
	cmd := &cobra.Command{
		Use:        "web [flags] [DIR]",
		Short:      "serve the playground, a page that shows what profiles mean",
		SuggestFor: []string{"serve", "playground", "gui", "ui", "http"},
		Long: `Web serves the playground to browsers on this machine, prints its address, and ends on
Ctrl-C. The page shows what a profile, policy or filter means as you type, and compares,
tests and converts it. All of that happens in the browser: nothing you paste is sent
anywhere, also not to this command.

A released seccompile has the page in it. Another one serves DIR, which make web writes
in a checkout: web/dist/site. The server listens on 127.0.0.1 and [::1] alone, which are
localhost, and answers no page of another name.`,
		Example: `  seccompile web
  seccompile web --port 0
  seccompile web web/dist/site`,
		Args: one("directory"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.web(port, first(args)) },
	}
	cmd.Flags().Uint16Var(&port, "port", webPort, "listen on port `N` (0 for any that is free)")
	completeFlag(cmd, "port", oneOf())
	return cmd
}

// web serves the page in a directory, or the embedded one, until a signal ends it; a second
// one ends it at once.
func (a *app) web(port uint16, dir string) error {
	files, err := page(dir)
	if err != nil {
		return err
	}
	handler, err := webpage.Handler(files)
	if err != nil {
		return notPage(dir, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	list, err := webpage.Listen(port)
	if err != nil {
		f := failure.Usagef("web: %w", err)
		if errors.Is(err, syscall.EADDRINUSE) {
			return f.Hintf("another program, or another seccompile web, listens there: --port 0 takes a free one")
		}
		return f
	}
	fmt.Fprintf(a.out, "http://%v/\n", list[0].Addr())
	if err := a.flush(); err != nil {
		return err
	}
	a.note("web: serving until Ctrl-C")
	return webpage.Serve(ctx, list, handler)
}

// page returns the files of a page.
func page(dir string) (fs.FS, error) {
	if dir == "" {
		if files := webpage.Embedded(); files != nil {
			return files, nil
		}
		return nil, failure.Usagef("web: this build has no page in it").
			Hintf("released ones have; in a checkout, make web builds it, and seccompile web web/dist/site serves it")
	}
	root, err := os.OpenRoot(dir) // links do not lead out of it
	if err != nil {
		return nil, inaccessible(dir, err, makeWeb)
	}
	return root.FS(), nil
}

const makeWeb = "make web writes the page into web/dist/site"

// notPage explains why the files of a directory are not a page.
func notPage(dir string, err error) *failure.Error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		dir, err = filepath.Join(dir, pe.Path), pe
	}
	return inaccessible(dir, err, "").Hintf(makeWeb)
}
