package browser

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/seccompile/seccompile/conformance/internal/need"
)

var screenshots = flag.String("screenshots", "", "keep pictures of the pages in this directory")

// hang is how long one test may take before it counts as hanging.
const hang = 3 * time.Minute

// A browser is a running Chromium.
type browser struct{ context.Context }

// start runs Chromium.
func start(t *testing.T) browser {
	t.Helper()
	path := need.Program(t, "chromium", "chromium")
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root otherwise
	}
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, quit := chromedp.NewContext(allocator)
	t.Cleanup(func() { quit(); stop() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return browser{ctx}
}

// A view is how a page is looked at. The zero view is a light desktop.
type view struct {
	dark, phone, noScript, print bool
}

// A tab is a page that is open. Whatever it asks the network for, and whatever it
// says on the console, fails the test.
type tab struct {
	context.Context
	t *testing.T
}

func (b browser) open(t *testing.T, page []byte, v view) tab {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, page, 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(b)
	ctx, expire := context.WithTimeout(ctx, hang)
	t.Cleanup(func() { expire(); cancel() })
	x := tab{ctx, t}
	url := "file://" + filepath.ToSlash(path)
	x.watch(url)
	screen := emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: 900, DeviceScaleFactor: 1}
	if v.phone {
		screen = emulation.SetDeviceMetricsOverrideParams{Width: 360, Height: 740, DeviceScaleFactor: 2, Mobile: true}
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: "light"}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}
	if v.dark {
		media.Features[0].Value = "dark"
	}
	if v.print {
		media.Media = "print"
	}
	call(x, emulation.SetDeviceMetricsOverride, screen)
	call(x, emulation.SetEmulatedMedia, media)
	call(x, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: v.noScript})
	x.do(chromedp.Navigate(url))
	return x
}

// call sends a command of the DevTools protocol.
func call[P, R any](x tab, command cdp.Command[P, R], params P) {
	x.t.Helper()
	if _, err := chromedp.Call(x, command, params); err != nil {
		x.t.Fatal(err)
	}
}

// watch fails the test on requests but for the page itself, messages and errors.
func (x tab) watch(url string) {
	var mu sync.Mutex
	var seen []string
	add := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintf(format, args...))
	}
	err := chromedp.Listen(x, func(event any) {
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if request, _, _ := strings.Cut(e.Request.URL, "#"); request != url {
				add("request for %s", e.Request.URL)
			}
		case *runtime.EventConsoleAPICalled:
			add("console: %s", e.Type)
		case *runtime.EventExceptionThrown:
			add("exception: %s", e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			add("log: %s", e.Entry.Text)
		}
	})
	if err != nil {
		x.t.Fatal(err)
	}
	call(x, network.Enable, network.EnableParams{})
	call(x, log.Enable, cdp.Empty{})
	call(x, runtime.Enable, cdp.Empty{})
	x.t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, s := range seen {
			x.t.Error(s)
		}
	})
}

func (x tab) do(actions ...chromedp.Action[chromedp.Void]) {
	x.t.Helper()
	if err := chromedp.Do(x, actions...); err != nil {
		x.t.Fatal(err)
	}
}

// eval runs a function in the page and returns its value.
func eval[T any](x tab, body string) T {
	x.t.Helper()
	value, err := chromedp.Run(x, chromedp.Evaluate[T]("(() => {"+body+"})()"))
	if err != nil {
		x.t.Fatal(err)
	}
	return value
}

// shoot keeps a picture of what is in view, if that is wanted, and returns it.
func (x tab) shoot(name string) []byte {
	x.t.Helper()
	png, err := chromedp.Run(x, chromedp.CaptureScreenshot())
	if err != nil {
		x.t.Fatal(err)
	}
	if *screenshots != "" {
		if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o666); err != nil {
			x.t.Fatal(err)
		}
	}
	return png
}
