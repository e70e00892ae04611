package gpu

import "fmt"

// Fault is why a device is not fit for work.
type Fault string

// The faults, the gravest first.
const (
	FaultNone Fault = ""
	FaultXID  Fault = "xid"        // the driver reported a fatal error: until the node restarts
	FaultLost Fault = "lost"       // the driver or a job did not find the device: until it is seen Probation times
	FaultHung Fault = "hung"       // jobs hung on it: for Probation readings
	FaultHot  Fault = "overheated" // until it has cooled by Hysteresis
)

// Rules are the limits of a device's health.
type Rules struct {
	Hysteresis int // °C below the limit at which a device is cool again; default 10
	Hangs      int // jobs that hang one after the other before the device is at fault; default 2
	Probation  int // readings that a device at fault has to pass; default 6
}

// shutdownMargin is how many °C below its shutdown a device is too hot that does not tell
// when it slows down.
const shutdownMargin = 5

func (r Rules) withDefaults() Rules {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&r.Hysteresis, 10)
	set(&r.Hangs, 2)
	set(&r.Probation, 6)
	return r
}

// Verdict is what a rule says of a device.
type Verdict struct {
	Fault  Fault
	Detail string // for people; "" without a fault
}

// Health is what is remembered of one device. It is pure: time is the number of readings.
type Health struct {
	rules Rules
	xid   uint64 // the first fatal one, 0: none
	lost  int    // readings until a lost device is believed to be back
	hangs int    // jobs that hung since the last one that ended well
	hung  int    // readings until a device that hung is tried again
	hot   int    // the limit in °C that was reached, 0: not hot
	last  Reading
}

// NewHealth has seen nothing, and finds no fault.
func NewHealth(r Rules) *Health { return &Health{rules: r.withDefaults()} }

// Step takes what was observed into account.
func (h *Health) Step(o Observation) Verdict {
	h.stepXIDs(o.XIDs)
	if o.Reading != nil && !o.Gone {
		h.last = *o.Reading
		h.lost = max(0, h.lost-1)
		h.stepProbation()
		h.stepTemperature(o.Reading)
	}
	if o.Gone {
		h.lost = h.rules.Probation
	}
	h.stepJobs(o.Done, o.Hung)
	return h.verdict()
}

func (h *Health) stepXIDs(xids []uint64) {
	for _, x := range xids {
		if fatalXIDs[x] != "" && h.xid == 0 {
			h.xid = x
		}
	}
}

func (h *Health) stepTemperature(r *Reading) {
	limit := r.Slowdown
	if limit <= 0 {
		limit = r.Shutdown - shutdownMargin
	}
	switch {
	case limit > 0 && r.Temperature >= limit:
		h.hot = limit
	case r.Temperature > 0 && r.Temperature <= h.hot-h.rules.Hysteresis:
		h.hot = 0
	}
}

// stepProbation gives a device that hung one more chance at the end: the next job that
// hangs is enough to find it at fault again.
func (h *Health) stepProbation() {
	if h.hung == 0 {
		return
	}
	if h.hung--; h.hung == 0 {
		h.hangs = h.rules.Hangs - 1
	}
}

func (h *Health) stepJobs(done, hung int) {
	if done > 0 {
		h.hangs = 0
	}
	if h.hangs += hung; hung > 0 && h.hangs >= h.rules.Hangs {
		h.hung = h.rules.Probation
	}
}

func (h *Health) verdict() Verdict {
	switch {
	case h.xid != 0:
		return Verdict{FaultXID, fmt.Sprintf("XID %d, %s: reset the device or restart the machine, then the node", h.xid, fatalXIDs[h.xid])}
	case h.lost > 0:
		return Verdict{FaultLost, "the device does not answer"}
	case h.hung > 0:
		return Verdict{FaultHung, fmt.Sprintf("%d jobs hung, one after the other", h.hangs)}
	case h.hot > 0:
		return Verdict{FaultHot, fmt.Sprintf("%d °C, the limit is %d °C", h.last.Temperature, h.hot)}
	}
	return Verdict{}
}
