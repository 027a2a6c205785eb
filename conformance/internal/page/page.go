// Package page runs the documents of this project as their readers do: all commands in the order
// of the page, in one directory and with the variables that they set, and each must print what
// the page says. A page has these blocks, between lines of three backquotes and a kind:
//
//	sh         commands, which must succeed
//	text       what the commands before it print
//	KIND NAME  a file
//	console    commands, each after "$ ", and what it prints; one without output must succeed
//
// In what is printed, a line of three dots stands for any lines, an ellipsis (…) for anything
// within a line, and a number in brackets, such as a process ID, for any number.
package page

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// A Block is what stands between two fences of a page.
type Block struct {
	Line       int // of the page, at which the block begins
	Kind, Name string
	Text       string
}

// Read returns the blocks of a page. Code that is merely indented is an error: it would look as
// if somebody ran it.
func Read(path string) ([]Block, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	blocks, err := parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return blocks, nil
}

func parse(text string) (blocks []Block, err error) {
	const fence = "```"
	var open *Block
	blank, n := true, 0
	for line := range strings.Lines(text) {
		n++
		info, fenced := strings.CutPrefix(line, fence)
		switch {
		case fenced && open == nil:
			kind, name, _ := strings.Cut(strings.TrimSpace(info), " ")
			open = &Block{Line: n, Kind: kind, Name: name}
		case fenced:
			blocks, open = append(blocks, *open), nil
		case open != nil:
			open.Text += line
		case blank && strings.HasPrefix(line, "    "):
			return nil, fmt.Errorf("%d: indented code (put it between lines of %s and a kind)", n, fence)
		}
		blank = strings.TrimSpace(line) == ""
	}
	if open != nil {
		return nil, fmt.Errorf("%d: the block has no end", open.Line)
	}
	return blocks, nil
}

// A command is one of a block of the kind console.
type command struct{ text, output string }

// commands splits a block of the kind console.
func (b *Block) commands() (list []command, err error) {
	more := false // the command goes on
	for line := range strings.Lines(b.Text) {
		text, prompt := strings.CutPrefix(line, "$ ")
		switch {
		case more:
			list[len(list)-1].text += line
		case prompt:
			list = append(list, command{text: text})
		case len(list) == 0:
			return nil, fmt.Errorf("%d: output without a command before it", b.Line)
		default:
			list[len(list)-1].output += line
		}
		more = (more || prompt) && strings.HasSuffix(line, "\\\n")
	}
	return list, nil
}

// Matches reports whether commands printed what a page says.
func Matches(page, printed string) bool {
	number := regexp.MustCompile(`\\\[[0-9]+\\\]`)
	var pattern strings.Builder
	pattern.WriteString(`\A`)
	for line := range strings.Lines(page) {
		if strings.TrimSpace(line) == "..." {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		quoted := number.ReplaceAllString(regexp.QuoteMeta(strings.TrimSuffix(line, "\n")), `\[[0-9]+\]`)
		pattern.WriteString(strings.ReplaceAll(quoted, "…", `.*`) + `\n`)
	}
	if printed != "" && !strings.HasSuffix(printed, "\n") {
		printed += "\n"
	}
	return regexp.MustCompile(pattern.String() + `\z`).MatchString(printed)
}
