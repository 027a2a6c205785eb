package main

import (
	"fmt"
	"reflect"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// checkProbe compares what the kernel says it supports with what kernels of its
// age do.
func checkProbe(s *suite) error {
	return s.do("probe", func() error {
		got, err := loader.Probe()
		if err != nil {
			return err
		}
		if want := s.features(); !reflect.DeepEqual(got, want) {
			return fmt.Errorf("got %+v, want %+v", got, want)
		}
		return nil
	})
}

// features returns what a kernel of this release supports.
func (s *suite) features() loader.Features {
	f := loader.Features{NotifSize: 80, RespSize: 24, DataSize: 64}
	for _, flag := range []struct {
		flag         cbpf.Flag
		major, minor uint8
	}{
		{cbpf.TSync, 3, 17},
		{cbpf.LogFlag, 4, 14},
		{cbpf.SpecAllow, 4, 17},
		{cbpf.NewListener, 5, 0},
		{cbpf.TSyncESRCH, 5, 7},
		{cbpf.WaitKillableRecv, 5, 19},
	} {
		if s.since(flag.major, flag.minor) {
			f.Flags = append(f.Flags, flag.flag)
		}
	}
	f.Actions = []cbpf.Action{
		cbpf.KillProcess, cbpf.KillThread, cbpf.Trap, cbpf.ErrnoClass, cbpf.Notify, cbpf.TraceClass, cbpf.Log, cbpf.Allow,
	}
	return f
}
