// Vectors is an example of a reader of testdata/vectors: it checks an implementation of
// seccomp profiles against the table of verdicts. For another implementation, replace the
// two functions of compile.go.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A group is rows with one filter: columns 2 to 5 of verdicts.tsv.
type group struct{ profile, reading, options, targets string }

func main() {
	dir := "testdata/vectors"
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	checked, wrong := check(dir)
	for _, row := range wrong {
		fmt.Println(row)
	}
	fmt.Printf("%d of %d verdicts agree\n", checked-len(wrong), checked)
	if len(wrong) > 0 {
		os.Exit(1)
	}
}

// check returns how many rows it has checked, and those that do not agree.
func check(dir string) (checked int, wrong []string) {
	table, err := os.ReadFile(filepath.Join(dir, "verdicts.tsv"))
	if err != nil {
		log.Fatal(err)
	}
	filters := map[group]*filter{}
	for line := range strings.Lines(string(table)) {
		row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if row[0][0] == '#' {
			continue
		}
		g := group{row[1], row[2], row[3], row[4]}
		if _, ok := filters[g]; !ok {
			profile, err := os.ReadFile(filepath.Join(dir, "profiles", g.profile+".json"))
			if err != nil {
				log.Fatal(err)
			}
			filters[g] = compile(profile, g)
		}
		got := "REFUSED"
		if f := filters[g]; f != nil && row[6] != "-" {
			got = verdict(f, uint32(number(row[6])), uint32(number(row[7])), arguments(row[8]))
		} else if f != nil {
			got = "not refused"
		}
		if checked++; got != row[9] {
			wrong = append(wrong, fmt.Sprintf("%s: got %s", strings.Join(row, " "), got))
		}
	}
	return checked, wrong
}

func number(s string) uint64 {
	n, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		log.Fatal(err)
	}
	return n
}

func arguments(s string) (args [6]uint64) {
	for i, arg := range strings.Split(s, ",") {
		if arg != "-" {
			args[i] = number(arg)
		}
	}
	return args
}
