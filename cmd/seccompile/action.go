package main

import (
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// actionWords are the actions as flags take them. Errno and trace may have data
// after a colon.
var actionWords = []string{
	"kill-process", "kill-thread", "trap", "errno:", "notify", "trace:", "log", "allow",
}

// A wanted is an action as a flag states it. Without data it stands for all
// actions of its class.
type wanted struct {
	action  cbpf.Action
	hasData bool
}

// matches reports whether a is wanted.
func (w wanted) matches(a cbpf.Action) bool {
	return a == w.action || !w.hasData && a.Class() == w.action.Class()
}

// parseAction reads the action that a flag states: a word of actionWords, a name
// of runtime-spec or seccomp(2), with data as ":EPERM", ":1" or "(1)". Where an
// errno or trace states none, its data is 1, EPERM, as in profiles. Error names are
// those of ABI a.
func parseAction(flag, s string, a arch.ABI) (wanted, error) {
	word, data, hasData := strings.Cut(strings.TrimSuffix(s, ")"), "(")
	if !hasData {
		word, data, hasData = strings.Cut(s, ":")
	}
	class, err := parseClass(word)
	if err != nil {
		return wanted{}, usagef("%s: unknown action %q", flag, s).
			hintNearest(s, actionWords, "actions are "+strings.Join(actionWords, ", "))
	}
	carries := class == cbpf.ErrnoClass || class == cbpf.TraceClass
	if !hasData {
		if carries {
			class |= 1
		}
		return wanted{action: class, hasData: !carries}, nil
	}
	if !carries {
		return wanted{}, usagef("%s: %s carries no data", flag, word)
	}
	n, ok := parseData(data, a)
	if !ok {
		return wanted{}, usagef("%s: %q is neither an error name nor a number below 65536", flag, data)
	}
	return wanted{action: class | cbpf.Action(n), hasData: true}, nil
}

func parseClass(word string) (cbpf.Action, error) {
	name := strings.ToUpper(strings.ReplaceAll(word, "-", "_"))
	name = strings.TrimPrefix(name, "SCMP_ACT_")
	return cbpf.ParseOCIAction("SCMP_ACT_" + name)
}

func parseData(s string, a arch.ABI) (uint16, bool) {
	if n, err := strconv.ParseUint(s, 0, 16); err == nil {
		return uint16(n), true
	}
	return a.Errno(strings.ToUpper(s))
}

// actionText renders an action with the name of its error number on an ABI:
// "ERRNO(38) ENOSYS".
func actionText(action cbpf.Action, a arch.ABI) string {
	if name := errnoName(action, a); name != "" {
		return action.String() + " " + name
	}
	return action.String()
}

// errnoName returns the name of the error number that an action carries, or "".
func errnoName(action cbpf.Action, a arch.ABI) string {
	if action.Class() != cbpf.ErrnoClass {
		return ""
	}
	return a.ErrnoName(action.Data())
}
