package main

import (
	"bytes"
	"encoding/json"
	"strings"
)

// A statement is one of in-toto (https://in-toto.io/Statement/v1) whose predicate is SLSA's
// provenance (https://slsa.dev/provenance/v1). It has no times and names no machine, so that
// two builds of a commit make the same.
type statement struct {
	Type          string    `json:"_type"`
	Subject       []subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     predicate `json:"predicate"`
}

type subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

type predicate struct {
	BuildDefinition struct {
		BuildType            string            `json:"buildType"`
		ExternalParameters   map[string]string `json:"externalParameters"`
		ResolvedDependencies []resource        `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder struct {
			ID string `json:"id"`
		} `json:"builder"`
	} `json:"runDetails"`
}

type resource struct {
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest,omitempty"`
}

const repository = "https://github.com/seccompile/seccompile"

// provenance returns the statement that files were built from a commit, as JSON.
func provenance(s *source, files []checksum) ([]byte, error) {
	doc := statement{Type: "https://in-toto.io/Statement/v1", PredicateType: "https://slsa.dev/provenance/v1"}
	for _, f := range files {
		doc.Subject = append(doc.Subject, subject{f.name, map[string]string{"sha256": f.sha256}})
	}
	def := &doc.Predicate.BuildDefinition
	def.BuildType = repository + "/blob/main/docs/RELEASING.md#make-release"
	def.ExternalParameters = map[string]string{"command": "make release VERSION=" + s.version, "version": s.version}
	def.ResolvedDependencies = []resource{
		{"git+" + repository, map[string]string{"gitCommit": s.commit}},
		{URI: "pkg:golang/std@" + strings.TrimPrefix(goRelease, "go")},
	}
	doc.Predicate.RunDetails.Builder.ID = repository + "/blob/main/docs/RELEASING.md#who-builds"
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(doc)
	return text.Bytes(), err
}
