package gpu

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// SlotOptions say how much of a device may be used at a time.
type SlotOptions struct {
	Reserve uint64 // bytes of each device that are never handed out; default none
	Leases  int    // leases that a device may have at a time; default: memory alone decides
}

// Slots hand out the memory of devices. They count what jobs said they need; the memory
// that a process really takes is its worker's to bound. Requests are served in the order of
// their arrival: a later one is served first only by a device that no earlier one waits for.
// Slots are safe for concurrent use.
type Slots struct {
	options SlotOptions
	mu      struct {
		sync.Mutex
		slots []*slot // one for each UUID, in the order given
		queue []*request
	}
}

// slot is what is known of a device's memory.
type slot struct {
	device   Device
	capacity uint64
	reserved uint64              // sum of the leases' bytes. Invariant: reserved <= capacity
	leases   map[*Lease]struct{} // not yet released
	out      string              // why the device is out of service; "": it is in service
}

// request waits for a device. Its channel has room for the one answer it gets.
type request struct {
	bytes  uint64
	answer chan answer
}

type answer struct {
	lease *Lease
	err   error
}

// NewSlots has one slot for each UUID among devices: a device that is listed twice counts
// once.
func NewSlots(devices []Device, o SlotOptions) *Slots {
	s := &Slots{options: o}
	for _, d := range devices {
		if s.find(d.UUID) == nil {
			capacity := d.Memory - min(d.Memory, o.Reserve)
			s.mu.slots = append(s.mu.slots, &slot{device: d, capacity: capacity, leases: map[*Lease]struct{}{}})
		}
	}
	return s
}

// Acquire waits until a device in service has bytes of memory to spare, and reserves them.
// It fails at once with ErrNoDevice or ErrTooLarge when no device in service could ever
// serve the request, also when that becomes so while it waits, and with ctx's error when ctx
// ends first.
func (s *Slots) Acquire(ctx context.Context, bytes uint64) (*Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("acquire device: %w", err)
	}
	r := s.enter(bytes)
	select {
	case a := <-r.answer:
		return a.lease, a.err
	case <-ctx.Done():
		s.withdraw(r)
		return nil, fmt.Errorf("acquire device: %w", ctx.Err())
	}
}

// enter queues a request, and answers it at once when that can be.
func (s *Slots) enter(bytes uint64) *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &request{bytes, make(chan answer, 1)}
	s.mu.queue = append(s.mu.queue, r)
	s.serve()
	return r
}

// withdraw takes back a request whose caller has gone, or the lease that it got meanwhile.
func (s *Slots) withdraw(r *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.mu.queue, r); i >= 0 {
		s.mu.queue = slices.Delete(s.mu.queue, i, i+1)
	} else if a := <-r.answer; a.lease != nil {
		a.lease.release()
	}
	s.serve()
}

// serve answers the requests that can be answered, oldest first. A request that has to wait
// keeps every device that could serve it from the younger ones, so that many small requests
// cannot starve a large one.
func (s *Slots) serve() {
	kept := map[*slot]bool{}
	waiting := s.mu.queue[:0]
	for _, r := range s.mu.queue {
		able := s.able(r.bytes)
		best := s.choose(able, kept, r.bytes)
		switch {
		case len(able) == 0:
			r.answer <- answer{err: s.refusal(r.bytes)}
		case best != nil:
			r.answer <- answer{lease: s.lend(best, r.bytes)}
		default:
			waiting = append(waiting, r)
			for _, d := range able {
				kept[d] = true
			}
		}
	}
	clear(s.mu.queue[len(waiting):])
	s.mu.queue = waiting
}

// able lists the slots in service that would have the memory if they were idle.
func (s *Slots) able(bytes uint64) []*slot {
	var able []*slot
	for _, d := range s.mu.slots {
		if d.out == "" && bytes <= d.capacity {
			able = append(able, d)
		}
	}
	return able
}

// choose takes the slot with the fewest leases, of these the one with the most free memory,
// of these the first.
func (s *Slots) choose(able []*slot, kept map[*slot]bool, bytes uint64) *slot {
	var best *slot
	for _, d := range able {
		full := bytes > d.free() || s.options.Leases > 0 && len(d.leases) >= s.options.Leases
		if !full && !kept[d] && (best == nil || d.before(best)) {
			best = d
		}
	}
	return best
}

func (d *slot) free() uint64 { return d.capacity - d.reserved }

func (d *slot) before(e *slot) bool {
	if len(d.leases) != len(e.leases) {
		return len(d.leases) < len(e.leases)
	}
	return d.free() > e.free()
}

func (s *Slots) lend(d *slot, bytes uint64) *Lease {
	l := &Lease{slots: s, slot: d, bytes: bytes, lost: make(chan struct{})}
	d.reserved += bytes
	d.leases[l] = struct{}{}
	return l
}

func (s *Slots) refusal(bytes uint64) error {
	why, largest, serving := "there is none", uint64(0), 0
	for _, d := range s.mu.slots {
		if d.out != "" {
			why = fmt.Sprintf("%s is out of service: %s", d.device.UUID, d.out)
			continue
		}
		largest, serving = max(largest, d.capacity), serving+1
	}
	if serving == 0 {
		return fmt.Errorf("acquire device: %w: %s", ErrNoDevice, why)
	}
	return fmt.Errorf("acquire device: %w: %d bytes, of at most %d", ErrTooLarge, bytes, largest)
}

// TakeOut takes a device out of service for a reason, which may not be empty. Its leases
// are lost; it gets no new ones.
func (s *Slots) TakeOut(uuid, reason string) error {
	return s.change(uuid, func(d *slot) {
		d.out = reason
		for l := range d.leases {
			l.lose(reason)
		}
	})
}

// PutBack puts a device back into service. Leases that were lost stay so.
func (s *Slots) PutBack(uuid string) error {
	return s.change(uuid, func(d *slot) { d.out = "" })
}

func (s *Slots) change(uuid string, apply func(*slot)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.find(uuid)
	if d == nil {
		return fmt.Errorf("%w: UUID %.100q", ErrNoDevice, uuid)
	}
	apply(d)
	s.serve()
	return nil
}

func (s *Slots) find(uuid string) *slot {
	i := slices.IndexFunc(s.mu.slots, func(d *slot) bool { return d.device.UUID == uuid })
	if i < 0 {
		return nil
	}
	return s.mu.slots[i]
}

// Usage is the state of one device's memory.
type Usage struct {
	Device   Device
	Capacity uint64 // bytes that can be reserved
	Reserved uint64 // bytes, at most Capacity
	Leases   int
	Out      string // why the device is out of service; "": it is in service
}

// Snapshot is the state of all Slots at one moment.
type Snapshot struct {
	Devices []Usage
	Waiting int // requests without a device
}

// Snapshot takes one.
func (s *Slots) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := Snapshot{Waiting: len(s.mu.queue)}
	for _, d := range s.mu.slots {
		snap.Devices = append(snap.Devices, Usage{d.device, d.capacity, d.reserved, len(d.leases), d.out})
	}
	return snap
}
