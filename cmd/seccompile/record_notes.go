package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// frequencies are how often calls were made, by name; nil counts nothing. A file has numbers
// of any kind.
type frequencies map[string]float64

func (f frequencies) add(d *cbpf.Data) {
	if name := policy.Names().Syscall(d.Arch, d.NR); f != nil && name != "" {
		f[name]++
	}
}

// String writes what --weights reads, the most frequent calls first.
func (f frequencies) String() string {
	names := slices.SortedFunc(maps.Keys(f), func(a, b string) int {
		return cmp.Or(cmp.Compare(f[b], f[a]), cmp.Compare(a, b))
	})
	var text strings.Builder
	for _, name := range names {
		fmt.Fprintf(&text, "%s %s\n", name, strconv.FormatFloat(f[name], 'f', -1, 64))
	}
	return text.String()
}

// readFrequencies adds the frequencies that are in the file already.
func (r *recordRun) readFrequencies() error {
	text, err := readIfFile(r.frequencies)
	if err != nil {
		return err
	}
	list, err := stats.ParseWeights(string(text))
	if err != nil {
		return failure.Usagef("record: %s exists and does not contain frequencies, so record cannot add to it", failure.Shown(r.frequencies)).
			Hintf("name another file with --frequencies")
	}
	for _, w := range list {
		if r.counts != nil {
			r.counts[w.Call] += w.Weight
		}
	}
	return nil
}

// writeFrequencies writes the frequencies, if they were asked for.
func (a *app) writeFrequencies(r *recordRun) error {
	if r.frequencies == "" {
		return nil
	}
	unlock, err := lockFile(r.frequencies, lockPatience)
	defer unlock()
	if err == nil {
		err = r.readFrequencies()
	}
	return a.putOrRescue(&output{r.frequencies}, []byte(r.counts.String()), err)
}

// readDocker reads Docker's default profile for the same container, before the program
// runs: what is wrong with the flags shows in time.
func (a *app) readDocker(r *recordRun) (err error) {
	docker := r.Target
	docker.Languages, docker.Settings = nil, nil
	r.docker, err = a.side(&docker, intake.DockerDefault)
	return err
}

// noteBeyond names the calls that a recording allows and Docker's default profile denies.
func (a *app) noteBeyond(r *recordRun, p *policy.Policy) error {
	if a.quiet {
		return nil
	}
	reading, err := r.Options()
	if err != nil {
		return err
	}
	ours, _, err := policy.Resolve(p, reading)
	if err != nil {
		return err
	}
	recorded := answer.ProfileSide(r.path, &intake.Compiled{Policy: p, Resolved: ours})
	found, err := proof.Diff(r.docker.Subject, recorded.Subject, proof.Limits{})
	if err != nil {
		return nil // too much to compare; the recording is right all the same
	}
	found = slices.DeleteFunc(found, func(c proof.Change) bool {
		return c.From.Permits(cbpf.Alone) || !c.To.Permits(cbpf.Alone)
	})
	v, err := answer.NewDifference(r.docker, recorded, found, false)
	if err != nil {
		return err
	}
	if calls := changedNames(v); len(calls) > 0 {
		a.note("record: Docker's default profile denies, and this one allows: %s", strings.Join(calls, ", "))
	}
	return nil
}

// changedNames lists the named calls of changes, with the conditions.
func changedNames(v *answer.Difference) (list []string) {
	for i := range v.Changes {
		c := &v.Changes[i]
		for _, x := range c.Calls {
			if name := x.Name + c.WhenText(); x.Name != "" && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}
