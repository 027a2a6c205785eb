package main

import (
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/scan"
)

// A scanJSON is the document that scan --json writes.
type scanJSON struct {
	Version    int              `json:"version"`
	Incomplete bool             `json:"incomplete"` // calls may be missing, as some of Unresolved say
	Programs   []scanProgram    `json:"programs"`
	Modules    []scanModule     `json:"modules"`
	Calls      []scanCall       `json:"calls"`
	Unresolved []scanUnresolved `json:"unresolved"`
	Executed   []scanExecuted   `json:"executed"` // other programs that these start under a constant name
	Observed   *comparison      `json:"observed,omitempty"`
}

type scanProgram struct {
	Path   string `json:"path"`
	Script string `json:"script,omitempty"`
	ABI    string `json:"abi"`
}

type scanModule struct {
	Path             string `json:"path"`
	BuildID          string `json:"buildId"`
	Why              string `json:"why"`
	Functions        int    `json:"functions"`
	ReachedFunctions int    `json:"reachedFunctions"`
	Sites            int    `json:"sites"`
}

type scanCall struct {
	ABI   string              `json:"abi"`
	NR    uint32              `json:"nr"`
	Name  string              `json:"name,omitempty"`
	Args  map[string][]uint64 `json:"args,omitempty"` // by index, of those that have few values
	Chain []scanStep          `json:"chain"`
}

type scanStep struct {
	Module  string `json:"module"`
	Address uint64 `json:"address"`
	Name    string `json:"name,omitempty"`
	How     string `json:"how,omitempty"`
}

type scanUnresolved struct {
	scanStep
	Reason     string `json:"reason"`
	Incomplete bool   `json:"incomplete"`
}

type scanExecuted struct {
	Name    string   `json:"name"`
	By      scanStep `json:"by"`
	Runs    []string `json:"runs"`    // the files that run then; none if they are not there
	Scanned bool     `json:"scanned"` // these are among Programs
}

func scanDocument(res *scan.Result, seen *observed) *scanJSON {
	doc := &scanJSON{Version: answer.Version, Incomplete: len(res.Incomplete()) > 0, Programs: []scanProgram{}, Modules: []scanModule{}, Calls: []scanCall{}, Unresolved: []scanUnresolved{}, Executed: []scanExecuted{}}
	for _, p := range res.Programs {
		doc.Programs = append(doc.Programs, scanProgram{p.Path, p.Script, p.ABI.String()})
	}
	for _, m := range res.Modules {
		doc.Modules = append(doc.Modules, scanModule{m.Path, m.BuildID, m.Why, m.Funcs, m.Reached, m.Sites})
	}
	for _, c := range res.Calls {
		call := scanCall{ABI: c.ABI.String(), NR: c.NR, Name: c.Name, Chain: []scanStep{}}
		for i, v := range c.Args {
			if !v.Any && len(v.Values) > 0 {
				if call.Args == nil {
					call.Args = make(map[string][]uint64)
				}
				call.Args[string(rune('0'+i))] = v.Values
			}
		}
		for _, s := range c.Chain {
			call.Chain = append(call.Chain, scanStep{s.Module, s.Addr, s.Name, s.How})
		}
		doc.Calls = append(doc.Calls, call)
	}
	for _, u := range res.Unresolved {
		doc.Unresolved = append(doc.Unresolved, scanUnresolved{scanStep{u.Module, u.Addr, u.Name, ""}, u.Reason, u.Harm})
	}
	for _, e := range res.Executed {
		by := scanStep{e.By.Module, e.By.Addr, e.By.Name, ""}
		doc.Executed = append(doc.Executed, scanExecuted{e.Name, by, append([]string{}, e.Runs...), e.Scanned})
	}
	if seen != nil {
		c := seen.compare(res)
		doc.Observed = &c
	}
	return doc
}
