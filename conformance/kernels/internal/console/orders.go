package console

// OrdersFile is where a guest finds its [Orders], in JSON.
const OrdersFile = "/orders.json"

// Orders are what the harness tells a guest.
type Orders struct {
	// Callers are the names of the ABIs that make calls, the kernel's main one
	// first.
	Callers []string
	// Fault is the mistake to make in every filter, a cases.Fault.
	Fault string
	// Only is the beginning of the names of the checks to do; "" means all.
	Only string
	// Points is how many calls to make under each filter through each ABI.
	Points int
	// Restart ends the guest by a restart, for boards that cannot switch
	// themselves off.
	Restart bool
	// LostValues says that the kernel is known to lose the value of a listener's
	// answer.
	LostValues bool
	// Time is the time of day in seconds since 1970: some boards have no clock.
	Time int64
}
