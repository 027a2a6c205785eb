package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/report"
	"github.com/seccompile/seccompile/internal/scan"
)

// reviewScan writes the page about what programs can call, as a document of scan --json says,
// and what they were seen to call, as a recording says or the document itself.
func (a *app) reviewScan(r *reportFlags, o *output, args []string) error {
	switch {
	case len(r.presets) > 0:
		return failure.Usagef("--scan and --preset: a scan is not a profile")
	case r.weaker:
		return failure.Usagef("--scan and --fail-weaker: a scan is not a profile").Hintf("seccompile scan --observed RECORDING has the answer as its exit status")
	case len(args) > 1:
		return failure.Usagef("--scan: expected one recording, got %d profiles", len(args)).Hintf("for example: seccompile report --scan can.json -o bounds.html recording.json")
	}
	doc, err := a.readScan(r.scan)
	if err != nil {
		return err
	}
	b := report.Bounds{}
	bounds, ways := doc.Observed, doc.ways()
	switch {
	case len(args) == 1:
		seen, err := a.readRecording("report --scan", args[0])
		if err != nil {
			return err
		}
		c := seen.compareNames(slices.Sorted(maps.Keys(ways)))
		bounds, b.Recording = &c, seen.name
	case bounds == nil:
		return failure.Usagef("--scan: %s has no recording beside it", r.scan).Hintf("name the recording: seccompile report --scan %s recording.json", r.scan)
	default:
		b.Recording = "the recording that scan compared with"
	}
	for _, p := range doc.Programs {
		b.Programs = append(b.Programs, filepath.Base(p.Path))
	}
	for _, u := range doc.Unresolved {
		if u.Incomplete {
			left := scan.Unresolved{Step: scan.Step{Module: u.Module, Addr: u.Address, Name: u.Name}, Reason: u.Reason}
			b.Incomplete = append(b.Incomplete, left.String())
		}
	}
	b.Both, b.Reachable, b.Seen = boundsOf(bounds.Both, ways), boundsOf(bounds.Reachable, ways), boundsOf(bounds.Seen, ways)
	page, err := report.Bounded(b, report.Options{Date: r.date, Format: report.Format(r.format)})
	if err != nil {
		return err
	}
	return a.put(o, new(wordWriter).plain(page))
}

// readScan reads a document of scan --json.
func (a *app) readScan(path string) (*scanJSON, error) {
	in, err := a.read(path)
	if err != nil {
		return nil, err
	}
	doc := new(scanJSON)
	switch err := json.Unmarshal(in.Data, doc); {
	case err != nil || len(doc.Programs) == 0 || doc.Calls == nil:
		return nil, failure.Usagef("--scan: %s is not what scan --json writes", in.Name).Hintf("seccompile scan --json PROGRAM >can.json writes one")
	case doc.Version != answer.Version:
		return nil, failure.Usagef("--scan: %s is of version %d, expected %d", in.Name, doc.Version, answer.Version).Hintf("write it again with this seccompile")
	}
	return doc, nil
}

// ways returns the functions that lead to each call, by its name. A call of several ABIs has
// the way of the first.
func (d *scanJSON) ways() map[string][]string {
	ways := make(map[string][]string)
	for _, c := range d.Calls {
		name := cmp.Or(c.Name, fmt.Sprint(c.NR))
		if _, ok := ways[name]; ok {
			continue
		}
		ways[name] = []string{}
		for _, s := range c.Chain {
			ways[name] = append(ways[name], cmp.Or(s.Name, fmt.Sprintf("%s:%#x", filepath.Base(s.Module), s.Address)))
		}
	}
	return ways
}

func boundsOf(names []string, ways map[string][]string) (list []report.Bound) {
	for _, name := range names {
		list = append(list, report.Bound{Call: name, Way: ways[name]})
	}
	return list
}
