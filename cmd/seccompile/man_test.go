package main

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestEveryPageIsComplete: a page that misses a section sends its reader elsewhere.
func TestEveryPageIsComplete(t *testing.T) {
	root := newApp(nil, io.Discard, io.Discard).rootCommand()
	for _, c := range append(documented(root), root) {
		page := string(manual(c))
		var sections []string
		for _, m := range regexp.MustCompile(`(?m)^\.SH (.+)$`).FindAllStringSubmatch(page, -1) {
			sections = append(sections, m[1])
		}
		for _, want := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"} {
			if !slices.Contains(sections, want) {
				t.Errorf("%s has no %s", pageName(c), want)
			}
		}
	}
}

// TestEveryFlagNamesItsValue: "--effort string" says nothing that a user could type.
func TestEveryFlagNamesItsValue(t *testing.T) {
	root := newApp(nil, io.Discard, io.Discard).rootCommand()
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if name, _ := pflag.UnquoteUsage(f); name != strings.ToUpper(name) && name != "X.Y" {
				t.Errorf("%s: the value of --%s is called %s", c.CommandPath(), f.Name, name)
			}
		})
		for _, s := range c.Commands() {
			check(s)
		}
	}
	check(root)
}
