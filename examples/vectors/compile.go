package main

import (
	"bytes"
	"encoding/json"
	"log"
	"strings"

	"github.com/seccompile/seccompile"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

type filter = seccompile.Filter

// compile returns the filter of a profile, nil if the profile is refused.
func compile(profile []byte, g group) *filter {
	o, err := options(g)
	if err != nil {
		log.Fatal(err)
	}
	if o.Policy.ABIs != nil {
		var keys map[string]any
		d := json.NewDecoder(bytes.NewReader(profile))
		d.UseNumber() // some need 64 bits
		if err := d.Decode(&keys); err != nil {
			log.Fatal(err)
		}
		var names []string
		for _, a := range o.Policy.ABIs {
			names = append(names, a.OCI())
		}
		keys["architectures"] = names
		if profile, err = json.Marshal(keys); err != nil {
			log.Fatal(err)
		}
	}
	f, err := seccompile.Compile(profile, o)
	if err != nil {
		return nil
	}
	return f
}

// verdict returns the action of a call.
func verdict(f *filter, audit, nr uint32, args [6]uint64) string {
	return f.Program.Eval(&cbpf.Data{Arch: audit, NR: nr, Args: args}).String()
}

// options returns what a group asks for besides the profile.
func options(g group) (o seccompile.Options, err error) {
	o.Target.ABI = arch.X86_64
	if g.targets != "-" {
		for name := range strings.SplitSeq(g.targets, ",") {
			a, err := arch.Parse(name)
			if err != nil {
				return o, err
			}
			o.Policy.ABIs = append(o.Policy.ABIs, a)
		}
		o.Target.ABI = o.Policy.ABIs[0]
	}
	if o.Language = (oci.Language{Runtime: g.reading}); g.reading == "strict" {
		o.Language, o.Policy.Mode = oci.Language{}, policy.Strict
	}
	for option := range strings.FieldsSeq(g.options) {
		switch key, value, _ := strings.Cut(option, "="); key {
		case "enosys":
			o.Policy.ENOSYS, err = policy.ParseENOSYS(value)
		case "bad-arch":
			o.Policy.BadArch, err = cbpf.ParseAction(value)
		case "strictest-wins":
			o.Policy.StrictestWins = true
		case "cap":
			if value != "none" {
				o.Target.Caps = strings.Split(value, ",")
			}
		case "kernel":
			o.Target.Kernel, err = syscalltables.ParseVersion(value)
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}
