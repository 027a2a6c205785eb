// Command guest is the only program of a test kernel: its init, which sets up the
// machine and starts the checks, the checks, and the processes that those confine
// or kill. It needs no other file but its orders.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/conformance/kernels/internal/console"
)

// The main goroutine keeps the main thread, which is the one that a tracer of the
// process sees.
func init() { runtime.LockOSThread() }

func main() {
	switch {
	case os.Getpid() == 1:
		boot()
	case len(os.Args) > 1:
		os.Exit(child(os.Args[1], os.Args[2:]))
	default:
		if err := check(); err != nil {
			fmt.Println("guest:", err)
			os.Exit(1)
		}
	}
}

// boot is the init process. It never returns.
func boot() {
	mount("proc", "/proc")
	mount("sysfs", "/sys")
	mount("devtmpfs", "/dev")
	mount("tmpfs", "/tmp")
	orders, err := readOrders()
	if err != nil {
		fmt.Println("guest:", err)
	}
	if tv := unix.NsecToTimeval(orders.Time * int64(time.Second)); time.Now().Unix() < orders.Time {
		_ = unix.Settimeofday(&tv)
	}
	// Not under the number 1, which the kernel does not let die of some signals.
	cmd := exec.Command("/proc/self/exe")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Println("guest: the checks:", err)
	}
	_ = unix.IoctlSetInt(1, unix.TCSBRK, 1) // until the line has sent what it holds
	how := unix.LINUX_REBOOT_CMD_POWER_OFF
	if orders.Restart {
		how = unix.LINUX_REBOOT_CMD_RESTART
	}
	fmt.Println("guest: end:", unix.Reboot(how))
	select {}
}

func mount(fs, dir string) {
	if err := unix.Mount(fs, dir, fs, 0, ""); err != nil {
		fmt.Println("guest: mount", dir, err)
	}
}

func readOrders() (console.Orders, error) {
	var o console.Orders
	b, err := os.ReadFile(console.OrdersFile)
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(b, &o)
}
