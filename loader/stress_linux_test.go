package loader_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/loader"
)

// reply is what a member's i-th call returns.
func reply(member, i uint64) int64 { return int64((member*2654435761 + i*40503) & (1<<31 - 1)) }

// family starts processes that share its filter, and so its listener: argument 1
// says how many, 2 the number of the first, 3 how many calls each makes. It prints
// how each ended.
func family() error {
	if err := handOver(loader.Options{ThisThread: true}); err != nil {
		return err
	}
	var args [3]int
	for i := range args {
		args[i], _ = strconv.Atoi(os.Args[1+i])
	}
	members := make([]*exec.Cmd, args[0])
	for i := range members {
		// Started by this thread, which main keeps, it has the filter. Package reexec
		// finds its child in the environment.
		members[i] = exec.Command("/proc/self/exe", strconv.Itoa(args[1]+i), os.Args[3])
		members[i].Env = append(os.Environ(), "SECCOMPILE_REEXEC=member")
		members[i].Stderr = os.Stderr
		if err := members[i].Start(); err != nil {
			return err
		}
	}
	for _, m := range members {
		_ = m.Wait()
		fmt.Println(m.ProcessState)
	}
	return nil
}

// member makes calls and checks each answer.
func member() error {
	id, _ := strconv.Atoi(os.Args[1])
	calls, _ := strconv.Atoi(os.Args[2])
	for i := range uint64(calls) {
		r, errno := ask(uintptr(id), uintptr(i))
		if want := reply(uint64(id), i); errno != 0 || int64(r) != want {
			return fmt.Errorf("call %d of %d returned %d, errno %d, want %d", i, id, r, errno, want)
		}
	}
	return nil
}

// A mob is many targets and what their supervisor knows of them.
type mob struct {
	t       *testing.T
	calls   int         // that each member makes unless it is killed
	doomed  map[int]int // at which of its calls a member is killed
	answers struct {
		sync.Mutex
		of   map[int]int // member
		gone int
	}
}

// handle answers a member's call. One who is to die gets no answer any more, or
// one at the same time.
func (m *mob) handle(received *sync.Map, n *loader.Notification) {
	if _, twice := received.LoadOrStore(n.ID, true); twice {
		m.t.Errorf("notification %d was received twice", n.ID)
	}
	member, i := int(n.Data.Args[0]), int(n.Data.Args[1])
	at, doomed := m.doomed[member]
	if doomed && i == at {
		go func() { _ = unix.Kill(n.PID, unix.SIGKILL) }()
	}
	dead := doomed && (i > at || i == at && at%2 == 0)
	if dead {
		eventually(m.t, "the notification of a killed target ends", func() bool { return n.Valid() == loader.ErrGone })
	}
	err := n.Return(reply(uint64(member), uint64(i)))
	if err != nil && !(doomed && err == loader.ErrGone) || err == nil && dead {
		m.t.Errorf("call %d of %d, doomed %v at %d: answered with %v", i, member, doomed, at, err)
	}
	if again := n.Return(-1); again == nil {
		m.t.Error("answered twice")
	}
	m.answers.Lock()
	defer m.answers.Unlock()
	if err != nil {
		m.answers.gone++
	} else {
		m.answers.of[member]++
	}
}

// run starts families of the given sizes, lets every third member be killed, and
// checks that all others got all their answers. It returns the number of answers.
func (m *mob) run(sizes ...int) int {
	m.doomed, m.answers.of = make(map[int]int), make(map[int]int)
	members := 0
	for _, size := range sizes {
		members += size
	}
	for member := 2; member < members; member += 3 {
		m.doomed[member] = rand.IntN(m.calls - 1) // so that it cannot end by itself
	}
	var families []*target
	var serving sync.WaitGroup
	first := 0
	for _, size := range sizes {
		tg := startTarget(m.t, "family", strconv.Itoa(size), strconv.Itoa(first), strconv.Itoa(m.calls))
		first += size
		families = append(families, tg)
		serving.Go(func() {
			var received sync.Map
			err := tg.Serve(m.t.Context(), func(_ context.Context, n *loader.Notification) { m.handle(&received, n) }, loader.ServeOptions{})
			if err != nil && !errors.Is(err, os.ErrClosed) {
				m.t.Error(err)
			}
		})
	}
	var ends []string
	for _, tg := range families {
		ends = slices.AppendSeq(ends, strings.Lines(tg.wait(m.t)))
		if !kernelHas(m.t, 5, 9) {
			_ = tg.Close()
		}
	}
	serving.Wait() // a handler may count its answer after the target has ended
	for member, end := range ends {
		m.checkEnd(member, strings.TrimSpace(end))
	}
	if len(ends) != members {
		m.t.Errorf("%d of %d members have ended", len(ends), members)
	}
	total := 0
	for _, n := range m.answers.of {
		total += n
	}
	m.t.Logf("%d members, %d killed, %d calls answered, %d gone", members, len(m.doomed), total, m.answers.gone)
	for _, tg := range families {
		_ = tg.Close()
	}
	return total
}

// checkEnd checks how a member ended, and how many answers it was given.
func (m *mob) checkEnd(member int, end string) {
	want := "exit status 0"
	at, doomed := m.doomed[member]
	if doomed {
		want = "signal: killed"
	}
	got := m.answers.of[member]
	if end != want || !doomed && got != m.calls || got < at {
		m.t.Errorf("member %d, doomed %v at %d: %s, %d of %d calls answered", member, doomed, at, end, got, m.calls)
	}
}

func TestMobOfTargets(t *testing.T) {
	answers := gen.Many(8_000, 100_000)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGUSR1)
	defer signal.Stop(signals)

	m := &mob{t: t, calls: 10}
	m.run(1, 2) // what Go's runtime opens and starts for good is there now
	files, goroutines := openFiles(t), runtime.NumGoroutine()

	ctx, stop := context.WithCancel(t.Context())
	var disturbing sync.WaitGroup
	disturbing.Go(func() { // signals interrupt whatever the supervisor does
		for ctx.Err() == nil {
			_ = unix.Kill(os.Getpid(), unix.SIGUSR1)
			time.Sleep(100 * time.Microsecond)
		}
	})
	// 32 share a listener, 32 have one each; 21 are killed.
	sizes := []int{32}
	for range 32 {
		sizes = append(sizes, 1)
	}
	m.calls = answers/43 + 1
	if got := m.run(sizes...); got < answers {
		t.Errorf("answered %d calls, want %d", got, answers)
	}
	stop()
	disturbing.Wait()
	eventually(t, "files and goroutines are gone", func() bool {
		return openFiles(t) <= files && runtime.NumGoroutine() <= goroutines
	})
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// Notifications per second, of one target and of many at once.
func BenchmarkServe(b *testing.B) {
	for _, targets := range []int{1, 64} {
		for _, together := range []bool{false, true} {
			b.Run(fmt.Sprintf("targets=%d/SyncWakeUp=%v", targets, together), func(b *testing.B) {
				tg := startTarget(b, "family", strconv.Itoa(targets), "0", strconv.Itoa(b.N/targets+1))
				if together {
					if err := tg.SyncWakeUp(); err != nil {
						b.Skip(err)
					}
				}
				var start sync.Once
				err := tg.Serve(b.Context(), func(_ context.Context, n *loader.Notification) {
					start.Do(b.ResetTimer)
					_ = n.Return(reply(n.Data.Args[0], n.Data.Args[1]))
				}, loader.ServeOptions{})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
				tg.wait(b)
			})
		}
	}
}

// The same without goroutines: what the kernel and Go's poller take.
func BenchmarkReceive(b *testing.B) {
	for _, together := range []bool{false, true} {
		b.Run(fmt.Sprintf("SyncWakeUp=%v", together), func(b *testing.B) {
			tg := startTarget(b, "family", "1", "0", strconv.Itoa(b.N))
			if together {
				if err := tg.SyncWakeUp(); err != nil {
					b.Skip(err)
				}
			}
			for i := range b.N {
				n, err := tg.Receive(b.Context())
				if err == nil {
					err = n.Return(reply(0, n.Data.Args[1]))
				}
				if err != nil {
					b.Fatal(err)
				}
				if i == 0 {
					b.ResetTimer()
				}
			}
			tg.wait(b)
		})
	}
}
