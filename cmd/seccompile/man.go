package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) manCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "man [COMMAND]",
		Short: "print manual pages",
		Long: `Man prints the manual page of seccompile or of one of its commands, as roff. With
-o it writes all pages to a directory.`,
		Example: `  seccompile man compile | man -l -
  seccompile man -o /usr/local/share/man/man1`,
		Args:              one("command"),
		ValidArgsFunction: completeCommands,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			if dir != "" && dir != "-" {
				return writePages(root, dir)
			}
			page := root
			if len(args) == 1 {
				i := slices.IndexFunc(documented(root), func(c *cobra.Command) bool { return c.Name() == args[0] })
				if i < 0 {
					return unknownCommand(root, args)
				}
				page = documented(root)[i]
			}
			_, err := a.out.Write(manual(page))
			return err
		},
	}
	cmd.Flags().StringVarP(&dir, "output", "o", "", "write all pages to `DIR`, and create it if necessary (- is standard output, for one page)")
	return cmd
}

func completeCommands(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, c := range documented(cmd.Root()) {
		if len(args) == 0 {
			names = append(names, c.Name())
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// documented returns the commands that have a manual page.
func documented(root *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			list = append(list, c)
		}
	}
	return list
}

// writePages writes the page of each command into a directory.
func writePages(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return unwritable(dir, err)
	}
	for _, c := range append(documented(root), root) {
		path := filepath.Join(dir, pageName(c)+".1")
		if err := writeFile(path, manual(c)); err != nil {
			return unwritable(path, err)
		}
	}
	return nil
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manual renders the page of a command in the man macros. It has no date and no
// version, so that it changes only when the command does.
func manual(c *cobra.Command) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH %s 1 \"\" seccompile \"User Commands\"\n", roffWord(strings.ToUpper(pageName(c))))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(pageName(c)), roff(c.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(synopsis(c)))
	if text := c.Long; text != "" {
		b.WriteString(".SH DESCRIPTION\n")
		paragraphs(&b, text)
	}
	if subs := documented(c); len(subs) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, s := range subs {
			if c.HasParent() {
				fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(s.CommandPath()), roff(s.Short))
				continue
			}
			fmt.Fprintf(&b, ".TP\n.BR %s (1)\n%s\n", roff(pageName(s)), roff(s.Short))
		}
	}
	c.InitDefaultHelpFlag()
	options(&b, "OPTIONS", c.NonInheritedFlags())
	options(&b, "GLOBAL OPTIONS", c.InheritedFlags())
	if c.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(c.Example))
	}
	b.WriteString(".SH EXIT STATUS\n")
	paragraphs(&b, exitText(c))
	if c.HasParent() {
		fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1)\n", roff(pageName(c.Parent())))
		return b.Bytes()
	}
	b.WriteString(".SH ENVIRONMENT\n.TP\n.B NO_COLOR\n" + roff("If not empty, seccompile does not use colours, except with --color always.") + "\n")
	b.WriteString(".SH SEE ALSO\n.BR seccomp (2)\n")
	return b.Bytes()
}

func synopsis(c *cobra.Command) string {
	if c.HasSubCommands() {
		return c.CommandPath() + " COMMAND"
	}
	return c.UseLine()
}

func exitText(c *cobra.Command) string {
	if c.Annotations[ownStatus] != "" {
		return "That of the program. 125: seccompile failed before it started the program. " +
			"126: the program exists but cannot be executed. 127: the program does not exist."
	}
	return "0: yes, or done. 1: no. 2: wrong usage or unreadable input."
}

func options(b *bytes.Buffer, heading string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", heading)
	flags.VisitAll(func(f *pflag.Flag) {
		value, usage := pflag.UnquoteUsage(f)
		b.WriteString(".TP\n")
		if f.Shorthand != "" {
			fmt.Fprintf(b, "\\fB\\-%s\\fR, ", roff(f.Shorthand))
		}
		fmt.Fprintf(b, "\\fB\\-\\-%s\\fR", roff(f.Name))
		if value != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(value))
		}
		fmt.Fprintf(b, "\n%s\n", roff(usage+defaultText(f)))
	})
}

// defaultText returns the default of a flag as the help shows it, "" if there is none.
func defaultText(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "false", "0", "[]":
		return ""
	}
	return fmt.Sprintf(" (default %s)", f.DefValue)
}

// paragraphs writes prose whose paragraphs are separated by empty lines. One with
// indented lines alone is a table and stays as it is.
func paragraphs(b *bytes.Buffer, text string) {
	for i, p := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if strings.Count("\n"+p, "\n") == strings.Count("\n"+p, "\n ") {
			fmt.Fprintf(b, ".nf\n%s\n.fi\n", roff(p))
			continue
		}
		b.WriteString(roff(p) + "\n")
	}
}

// roff escapes text: backslashes, hyphens that must stay hyphens, and lines that
// would be requests.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

// roffWord quotes a macro's argument.
func roffWord(s string) string { return `"` + roff(s) + `"` }
