package webpage

import (
	"errors"
	"net"
	"strconv"
	"syscall"
)

// loopback has the addresses of localhost. A browser may ask either.
var loopback = [...]string{"127.0.0.1", "::1"}

// Listen listens on a port of both loopback addresses, 127.0.0.1 first; 0 is any port that is free
// on both. A machine that lacks one of the protocols has a listener for the other. If another
// program has the port on one of them, as [syscall.EADDRINUSE] tells, Listen fails: browsers
// could find that program at localhost.
func Listen(port uint16) (list []net.Listener, err error) {
	for range 100 {
		if list, err = listenAll(port); port != 0 || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return list, err
}

// listenAll is Listen with one try for a free port.
func listenAll(port uint16) (list []net.Listener, err error) {
	var lacking error
	for _, host := range loopback {
		if len(list) > 0 {
			port = uint16(list[0].Addr().(*net.TCPAddr).Port)
		}
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
		switch {
		case err == nil:
			list = append(list, l)
		case errors.Is(err, syscall.EADDRINUSE):
			for _, l := range list {
				l.Close()
			}
			return nil, err
		case lacking == nil:
			lacking = err
		}
	}
	if len(list) == 0 {
		return nil, lacking
	}
	return list, nil
}
