package main

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/stats"
)

const statsLong = `Stats measures filters, several of them side by side: raw filters, assembly text,
artifacts, and profiles, which it compiles as compile does.

For each ABI it counts the filter instructions that the kernel executes for the calls
of that ABI: mean / maximum (number of calls). The mean is for arguments of 0, the
maximum for any arguments. The classes of calls are

  cached       always allowed and, since Linux 5.11, in the kernel's bitmap: the
               kernel does not run the filter
  uncached     always allowed, or handed to a tracer or listener, by running the
               filter each time
  conditional  decided by their arguments
  denied       always denied
  enosys       always denied with ENOSYS
  foreign      through the other ABIs of the same kernels

The ABIs of a raw filter are those that it treats differently from an unknown ABI; -a
chooses others. The lower bound is the length of a filter that uses comparisons only
(JGE, JEQ), with separate tests for each ABI and each call. The compiler also tests
bits and shares tests, and can stay below this bound. The load time is an estimate in
microseconds: 23, plus 0.147 for each instruction, plus 0.0035 for each instruction
that the kernel emulates to fill its bitmap.

With --weights, stats compiles profiles for these frequencies and adds weighted means,
on a kernel without the bitmap and with it. Each line of FILE has the name of a call
and its weight.`

func (a *app) statsCommand() *cobra.Command {
	var t targetFlags
	var asJSON bool
	var o output
	cmd := &cobra.Command{
		Use:        "stats [flags] [FILE...]",
		Short:      "measure filters: length, executed instructions, load time",
		SuggestFor: []string{"measure", "size"},
		Long:       statsLong,
		Example: `  seccompile stats docker-default
  seccompile stats -a x86_64 docker-default other-filter.bpf
  seccompile stats --json --weights trace.txt profile.json | jq '.filters[0].instructions'`,
		ValidArgsFunction: completeFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := t.readWeights(); err != nil {
				return err
			}
			weights, err := t.Weights.Parse()
			if err != nil {
				return err
			}
			for _, w := range t.Weights.Warnings() {
				a.warnf("%s", w)
			}
			if len(args) == 0 {
				args = []string{""}
			}
			var list []measured
			for _, arg := range args {
				m, err := a.measure(&t, weights, arg)
				if err != nil {
					return err
				}
				list = append(list, m)
			}
			if err := t.CheckSettings(slices.ContainsFunc(list, func(m measured) bool { return m.profile })); err != nil {
				return err
			}
			if asJSON {
				return a.putJSON(&o, statsDocument(list))
			}
			return a.put(&o, statsText(list))
		},
	}
	t.addPlace(cmd)
	t.addTuning(cmd)
	o.add(cmd)
	addJSON(cmd, &asJSON)
	t.addReading(cmd)
	return cmd
}

// A measured is one column of the figures.
type measured struct {
	name    string
	profile bool
	*stats.Stats
}

// measure reads and measures one input.
func (a *app) measure(t *targetFlags, weights []stats.Weight, arg string) (measured, error) {
	in, err := a.read(arg)
	if err != nil {
		return measured{}, err
	}
	if in.Kind == intake.KindProfile {
		c, err := t.compile(in)
		if err != nil {
			return measured{}, err
		}
		a.warn(in, c.Warnings)
		return measured{in.Name, true, stats.Compiled(&c.Result.Result, stats.Options{ABIs: c.Resolved.ABIs(), Weights: weights})}, nil
	}
	p, err := in.Program(t.ABIs...)
	if err != nil {
		return measured{}, err
	}
	abis, err := intake.ParseABIs(t.ABIs)
	if err != nil {
		return measured{}, err
	}
	if len(abis) == 0 && len(stats.Known(p)) == 0 {
		a.note("%s: the filter treats all ABIs alike: choose those to count calls for with -a", in.Name)
	}
	for _, abi := range abis {
		if abi.ByteOrder() != p.Order() {
			return measured{}, failure.Usagef("-a: %v and %s differ in byte order", abi, in.Name)
		}
	}
	return measured{in.Name, false, stats.Measure(p, stats.Options{ABIs: abis, Weights: weights})}, nil
}

// statsText prints the figures, a column for each filter.
func statsText(list []measured) []byte {
	var t table
	row := func(always bool, name string, value func(m measured) string) {
		cells, any := plain(name), always
		for _, m := range list {
			v := value(m)
			any = any || v != "0" && v != ""
			cells = append(cells, cell{text: v})
		}
		if any {
			t.row(cells...)
		}
	}
	number := func(always bool, name string, value func(m measured) int) {
		row(always, name, func(m measured) string { return strconv.Itoa(value(m)) })
	}
	row(true, "", func(m measured) string { return m.name })
	number(true, "instructions", func(m measured) int { return m.Instructions })
	for i, name := range kindNames {
		number(name == "trampolines", "  "+name, func(m measured) int { return kindCounts(m.Kinds)[i] })
	}
	number(true, "longest path", func(m measured) int { return m.Longest })
	for i, name := range boundNames {
		row(false, name, func(m measured) string {
			if m.Bound == nil {
				return ""
			}
			return strconv.Itoa(boundCounts(*m.Bound)[i])
		})
	}
	row(false, "  length / bound", func(m measured) string {
		if m.Bound == nil {
			return ""
		}
		return fmt.Sprintf("%.3f", ratio(m))
	})
	number(true, "emulated at load", func(m measured) int { return m.Emulated })
	row(true, "load time, about", func(m measured) string { return fmt.Sprintf("%.1f us", micros(m)) })
	for _, abi := range columnABIs(list) {
		printABI(row, abi)
	}
	row(false, "foreign", func(m measured) string { return executed(m.Foreign) })
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	t.print(w)
	w.Flush() // a buffer takes everything
	return b.Bytes()
}

// printABI prints the rows of one ABI.
func printABI(row func(bool, string, func(measured) string), abi arch.ABI) {
	of := func(value func(*stats.ABI) string) func(measured) string {
		return func(m measured) string {
			if i := slices.IndexFunc(m.ABIs, func(s stats.ABI) bool { return s.ABI == abi }); i >= 0 {
				return value(&m.ABIs[i])
			}
			return ""
		}
	}
	row(true, abi.String(), func(measured) string { return "" })
	row(true, "  in the bitmap", of(func(s *stats.ABI) string {
		if !s.Bitmap {
			return "no bitmap"
		}
		return fmt.Sprintf("%d of %d allowed", s.Classes[stats.Cached].Calls, s.Allowed)
	}))
	for _, class := range stats.Classes() {
		row(false, "  "+class.String(), of(func(s *stats.ABI) string { return executed(s.Classes[class]) }))
	}
	row(false, "  weighted mean", of(func(s *stats.ABI) string {
		if s.Weighted == nil {
			return ""
		}
		return fmt.Sprintf("%.2f, with the bitmap %.2f", s.Weighted.Mean, s.Weighted.Bitmap)
	}))
}

func executed(e stats.Executed) string {
	if e.Calls == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f / %d (%d)", e.Mean(), e.Max, e.Calls)
}

// columnABIs returns all ABIs of some figures, as they come.
func columnABIs(list []measured) []arch.ABI {
	var abis []arch.ABI
	for _, m := range list {
		for _, s := range m.ABIs {
			if !slices.Contains(abis, s.ABI) {
				abis = append(abis, s.ABI)
			}
		}
	}
	return abis
}

var kindNames = [...]string{"loads", "jeq", "jgt", "jge", "jset", "trampolines", "arithmetic", "returns", "other"}

func kindCounts(k stats.Kinds) [len(kindNames)]int {
	return [...]int{k.Loads, k.JEQ, k.JGT, k.JGE, k.JSET, k.Trampolines, k.ALU, k.Returns, k.Other}
}

var boundNames = [...]string{
	"lower bound for comparisons", "  tests of arch", "  tests of numbers", "  tests of arguments", "  loads", "  returns",
}

func boundCounts(b stats.Bound) [len(boundNames)]int {
	return [...]int{b.Total(), b.Arch, b.Numbers, b.Arguments, b.Loads, b.Returns}
}

func ratio(m measured) float64 { return float64(m.Instructions) / float64(m.Bound.Total()) }

func micros(m measured) float64 { return float64(m.LoadTime()) / float64(time.Microsecond) }

// A statsJSON is the document of stats --json.
type statsJSON struct {
	Version int          `json:"version"`
	Filters []filterFigs `json:"filters"`
}

type filterFigs struct {
	Name         string         `json:"name"`
	Instructions int            `json:"instructions"`
	Kinds        map[string]int `json:"kinds"` // JSON objects are printed with sorted keys
	Longest      int            `json:"longestPath"`
	Bound        *boundFigs     `json:"lowerBound,omitempty"` // of profiles
	Emulated     int            `json:"emulatedAtLoad"`
	LoadTime     float64        `json:"loadMicroseconds"`
	ABIs         []abiFigs      `json:"abis"`
	Foreign      executedFigs   `json:"foreign"`
}

type boundFigs struct {
	Total     int     `json:"total"`
	Arch      int     `json:"arch"`
	Numbers   int     `json:"numbers"`
	Arguments int     `json:"arguments"`
	Loads     int     `json:"loads"`
	Returns   int     `json:"returns"`
	Ratio     float64 `json:"ratio"` // instructions / total
}

type abiFigs struct {
	ABI      string                  `json:"abi"`
	Bitmap   bool                    `json:"bitmap"` // whether kernels have one for the ABI
	Allowed  int                     `json:"allowed"`
	Classes  map[string]executedFigs `json:"classes"`
	Weighted *weightedFigs           `json:"weighted,omitempty"`
}

type executedFigs struct {
	Calls int     `json:"calls"`
	Mean  float64 `json:"mean"`
	Max   int     `json:"max"`
}

type weightedFigs struct {
	Mean   float64 `json:"mean"`
	Bitmap float64 `json:"withBitmap"`
}

func statsDocument(list []measured) *statsJSON {
	doc := &statsJSON{Version: answer.Version}
	for _, m := range list {
		f := filterFigs{
			Name: m.name, Instructions: m.Instructions, Kinds: make(map[string]int), Longest: m.Longest,
			Emulated: m.Emulated, LoadTime: micros(m), ABIs: []abiFigs{}, Foreign: figures(m.Foreign),
		}
		for i, n := range kindCounts(m.Kinds) {
			f.Kinds[kindNames[i]] = n
		}
		if b := m.Bound; b != nil {
			f.Bound = &boundFigs{b.Total(), b.Arch, b.Numbers, b.Arguments, b.Loads, b.Returns, ratio(m)}
		}
		for _, s := range m.ABIs {
			g := abiFigs{ABI: s.ABI.String(), Bitmap: s.Bitmap, Allowed: s.Allowed, Classes: make(map[string]executedFigs)}
			for _, class := range stats.Classes() {
				g.Classes[class.String()] = figures(s.Classes[class])
			}
			if w := s.Weighted; w != nil {
				g.Weighted = &weightedFigs{w.Mean, w.Bitmap}
			}
			f.ABIs = append(f.ABIs, g)
		}
		doc.Filters = append(doc.Filters, f)
	}
	return doc
}

func figures(e stats.Executed) executedFigs { return executedFigs{e.Calls, e.Mean(), e.Max} }
