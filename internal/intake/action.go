package intake

import (
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
)

// ActionWords are the actions as flags take them. Errno and trace may have data
// after a colon.
var ActionWords = []string{
	"kill-process", "kill-thread", "trap", "errno:", "notify", "trace:", "log", "allow",
}

// An ActionPattern is an action as a flag states it. Without data it stands for all
// actions of its class.
type ActionPattern struct {
	Action  cbpf.Action
	hasData bool
}

// Matches reports whether a matches the pattern.
func (w ActionPattern) Matches(a cbpf.Action) bool {
	return a == w.Action || !w.hasData && a.Class() == w.Action.Class()
}

// ParseAction reads the action that a flag states: a word of ActionWords, a name
// of runtime-spec or seccomp(2), with data as ":EPERM", ":1" or "(1)". Where an
// errno or trace states none, its data is 1, EPERM, as in profiles. Error names are
// those of ABI a.
func ParseAction(flag, s string, a arch.ABI) (ActionPattern, error) {
	word, data, hasData := strings.Cut(strings.TrimSuffix(s, ")"), "(")
	if !hasData {
		word, data, hasData = strings.Cut(s, ":")
	}
	class, err := parseClass(word)
	if err != nil {
		f := failure.Usagef("%s: unknown action %q", flag, s)
		if _, ok := a.Errno(strings.ToUpper(s)); ok {
			return ActionPattern{}, f.Hintf("did you mean errno:%s?", strings.ToUpper(s))
		}
		return ActionPattern{}, f.HintNearest(s, ActionWords, "the actions are "+strings.Join(ActionWords, ", "))
	}
	carries := class == cbpf.ErrnoClass || class == cbpf.TraceClass
	if !hasData {
		if carries {
			class |= 1
		}
		return ActionPattern{Action: class, hasData: !carries}, nil
	}
	if !carries {
		return ActionPattern{}, failure.Usagef("%s: %s does not take data", flag, word)
	}
	n, ok := parseData(data, a)
	if !ok {
		return ActionPattern{}, failure.Usagef("%s: %q is neither an error name nor a number below 65536", flag, data)
	}
	return ActionPattern{Action: class | cbpf.Action(n), hasData: true}, nil
}

func parseClass(word string) (cbpf.Action, error) {
	name := strings.ToUpper(strings.ReplaceAll(word, "-", "_"))
	name = strings.TrimPrefix(name, "SCMP_ACT_")
	if name == "KILL" { // runtime-spec's other name
		return cbpf.KillThread, nil
	}
	return cbpf.ParseAction(name + "(0)")
}

func parseData(s string, a arch.ABI) (uint16, bool) {
	if n, err := strconv.ParseUint(s, 0, 16); err == nil {
		return uint16(n), true
	}
	return a.Errno(strings.ToUpper(s))
}

// ActionText renders an action with the name of its error number on an ABI:
// "ERRNO(38) ENOSYS".
func ActionText(action cbpf.Action, a arch.ABI) string {
	if name := ErrnoName(action, a); name != "" {
		return action.String() + " " + name
	}
	return action.String()
}

// ErrnoName returns the name of the error number that an action carries, or "".
func ErrnoName(action cbpf.Action, a arch.ABI) string {
	if action.Class() != cbpf.ErrnoClass {
		return ""
	}
	return a.ErrnoName(action.Data())
}
