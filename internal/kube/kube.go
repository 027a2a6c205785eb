// Package kube finds the objects of Kubernetes in a text, YAML or JSON, for the readers of
// what they say. Start with [Objects].
package kube

import (
	"errors"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/language/yaml"
	"github.com/seccompile/seccompile/policy"
)

// An Object is one object of Kubernetes.
type Object struct {
	APIVersion, Kind, Namespace, Name string
	Root                              document.Value
	// Source is the text that the object is in.
	Source *language.Source
}

// maxObjects bounds what a text may hold.
const maxObjects = 10_000

// Objects returns the objects in a text: those of its documents, and of lists in these. What
// has neither apiVersion nor kind is not one. The error is [policy.Errors].
func Objects(s *language.Source) ([]Object, error) {
	if doc, err := s.JSON(); err == nil {
		all := func(document.Value, document.Value) bool { return false }
		return add(nil, s, doc.Root().Extract(all).Root()), nil // which has its places at hand
	}
	documents, err := yaml.Sources(s.Data())
	if err != nil {
		return nil, InFile(s, err)
	}
	var objects []Object
	for _, d := range documents {
		doc, err := d.JSON()
		if err != nil {
			return nil, InFile(s, err)
		}
		objects = add(objects, s, doc.Root())
	}
	return objects, nil
}

func add(objects []Object, s *language.Source, root document.Value) []Object {
	kind, version := text(root.Member("kind")), text(root.Member("apiVersion"))
	if root.Kind() != document.Object || kind == "" || version == "" || len(objects) == maxObjects {
		return objects
	}
	if items := root.Member("items"); items.Kind() == document.Array {
		for _, item := range items.Elements() {
			objects = add(objects, s, item)
		}
		return objects
	}
	meta := root.Member("metadata")
	return append(objects, Object{
		APIVersion: version, Kind: kind, Namespace: text(meta.Member("namespace")), Name: text(meta.Member("name")),
		Root: root, Source: s,
	})
}

// text returns the text of a string, "" of everything else.
func text(v document.Value) string {
	if v.Kind() != document.String {
		return ""
	}
	return v.Text()
}

// Title names an object in messages, as kubectl does.
func (o *Object) Title() string {
	if o.Namespace != "" {
		return o.Kind + " " + o.Namespace + "/" + o.Name
	}
	return o.Kind + " " + o.Name
}

// Place returns the place of a value of the object, as [language.Source.Place] writes it.
func (o *Object) Place(v document.Value) string {
	line, column := v.Place()
	return o.Source.Place(line, column)
}

// Member returns the member of an object under its exact name: the API server knows no other
// letter case.
func Member(v document.Value, name string) document.Value {
	for key, val := range v.Members() {
		if key.Is(name) {
			return val
		}
	}
	return document.Value{}
}

// Profile reads a profile in a format of package language/oci. Places of rules, problems
// and warnings become what place makes of lines and columns.
func Profile(s *language.Source, f oci.Format, t policy.Target, place func(line, column int) string) (language.Reading, error) {
	reading, err := oci.Language{Format: f}.Read(s, t)
	s.Locate(reading.Warnings, err)
	for i := range reading.Warnings {
		w := &reading.Warnings[i]
		w.Pointer, w.Line, w.Column = place(w.Line, w.Column), 0, 0
	}
	var problems policy.Errors
	if errors.As(err, &problems) {
		for _, p := range problems {
			p.Pointer, p.Line, p.Column = place(p.Line, p.Column), 0, 0
		}
	}
	if p := reading.Policy; p != nil {
		for i := range p.Rules {
			p.Rules[i].Pointer = place(s.Position(p.Rules[i].Pointer))
		}
		p.Pointer, p.ArchMap, p.LooseKeys = "", "", nil
	}
	return reading, err
}

// InFile gives the problems of a text the places that they have in its source.
func InFile(s *language.Source, err error) error {
	var problems policy.Errors
	if errors.As(err, &problems) {
		for _, p := range problems {
			if p.Line > 0 {
				p.Pointer, p.Line, p.Column = s.Place(p.Line, p.Column), 0, 0
			}
		}
	}
	return err
}
