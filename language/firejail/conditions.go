package firejail

import (
	"strings"

	"github.com/seccompile/seccompile/internal/unknown"
)

// Conditions are what lines behind ?NAME: depend on.
type conditions struct {
	ignore                                       []string // beginnings of lines
	appimage, net, noDBus, noSound, private, x11 bool
}

// condition reads the condition in front of a line, or several. It returns the line, and
// whether all hold.
func (r *reader) condition(t text) (rest text, holds bool) {
	known := []struct {
		name  string
		holds bool
	}{
		{"HAS_APPIMAGE", r.appimage},
		{"HAS_NET", r.net},
		{"HAS_NODBUS", r.noDBus},
		{"HAS_NOSOUND", r.noSound},
		{"HAS_PRIVATE", r.private},
		{"HAS_X11", r.x11},
		{"BROWSER_DISABLE_U2F", !r.noDisableU2F},
		{"BROWSER_ALLOW_DRM", r.drm},
		{"ALLOW_TRAY", r.tray},
	}
	for t.string != "" && t.string[0] == '?' {
		i := 0
		for i < len(known) && !strings.HasPrefix(t.string[1:], known[i].name) {
			i++
		}
		if i == len(known) {
			name, _, _ := strings.Cut(t.string[1:], ":")
			var names []string
			for _, k := range known {
				names = append(names, k.name)
			}
			name = strings.TrimSpace(name)
			cure := r.Near(func() string { return unknown.Nearest(name, names) })
			if cure == "" {
				cure = " (use one of " + strings.Join(names, ", ") + ")"
			}
			r.Fail(t.here(), unknown.Quote(name)+": not a condition that firejail knows"+cure)
			return t, false
		}
		rest := t.from(1 + len(known[i].name)).skipBlank()
		if rest.string == "" || rest.string[0] != ':' {
			r.Fail(rest.here(), "no colon behind the condition (write ?"+known[i].name+": LINE)")
			return t, false
		}
		rest = rest.from(1)
		if rest.string == "" {
			r.Fail(rest.here(), "no line behind the condition (write ?"+known[i].name+": LINE)")
			return t, false
		}
		t = rest.skipBlank()
		if !known[i].holds {
			return t, false
		}
		if strings.HasPrefix(t.string, "quiet") || strings.HasPrefix(t.string, "include") {
			r.Fail(t.here(), unknown.Quote(t.string)+": cannot depend on a condition (put it into a line of its own)")
			return t, false
		}
	}
	return t, true
}

// skipBlank returns the text without a blank in front.
func (t text) skipBlank() text {
	if t.string != "" && t.string[0] == ' ' {
		return t.from(1)
	}
	return t
}

// observe takes note of what conditions ask for. It reports whether the line is one of
// these.
func (r *reader) observe(word, value string) bool {
	switch word + " " + value {
	case "nosound ":
		r.noSound = true
	case "nodbus ", "dbus-user filter", "dbus-user none", "dbus-system filter", "dbus-system none":
		r.noDBus = true
	case "x11 none", "x11 xorg", "x11 xephyr", "x11 xpra", "x11 xvfb", "x11 ":
		r.x11 = true
	default:
		switch word {
		case "private", "private-home":
			r.private = true
		case "net":
			r.net = true
		}
		return false
	}
	return true
}
