package gpu

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func devices(memory ...uint64) []Device {
	var all []Device
	for i, m := range memory {
		all = append(all, Device{UUID: fmt.Sprintf("GPU-%d", i), Memory: m, Index: i})
	}
	return all
}

// granted returns the lease that a request has got, nil while it waits.
func granted(t *testing.T, r *request) *Lease {
	t.Helper()
	select {
	case a := <-r.answer:
		if a.err != nil {
			t.Fatal(a.err)
		}
		return a.lease
	default:
		return nil
	}
}

func acquire(t *testing.T, s *Slots, bytes uint64) *Lease {
	t.Helper()
	l, err := s.Acquire(t.Context(), bytes)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestARequestThatNoDeviceCanServeFailsAtOnce(t *testing.T) {
	out := NewSlots(devices(10, 20), SlotOptions{})
	for _, uuid := range []string{"GPU-0", "GPU-1"} {
		if err := out.TakeOut(uuid, "maintenance"); err != nil {
			t.Fatal(err)
		}
	}
	small := NewSlots(devices(10, 20), SlotOptions{})
	if err := small.TakeOut("GPU-1", "maintenance"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		slots *Slots
		bytes uint64
		want  error
	}{
		"no devices":             {NewSlots(nil, SlotOptions{}), 0, ErrNoDevice},
		"all out of service":     {out, 1, ErrNoDevice},
		"more than all":          {NewSlots(devices(10, 20), SlotOptions{}), 21, ErrTooLarge},
		"more than those in use": {small, 11, ErrTooLarge},
		"more than the reserve":  {NewSlots(devices(10), SlotOptions{Reserve: 4}), 7, ErrTooLarge},
		"reserve above memory":   {NewSlots(devices(10), SlotOptions{Reserve: 40}), 1, ErrTooLarge},
		"largest number":         {NewSlots(devices(10), SlotOptions{}), 1<<64 - 1, ErrTooLarge},
	} {
		if _, err := c.slots.Acquire(t.Context(), c.bytes); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestADeviceListedTwiceIsOne(t *testing.T) {
	s := NewSlots(append(devices(10), devices(10)...), SlotOptions{})
	if n := len(s.Snapshot().Devices); n != 1 {
		t.Fatalf("%d devices, want 1", n)
	}
	acquire(t, s, 6)
	if r := s.enter(6); granted(t, r) != nil {
		t.Error("12 bytes of a device of 10 are reserved")
	}
}

func TestReleaseCountsOnce(t *testing.T) {
	s := NewSlots(devices(10), SlotOptions{})
	first, second := acquire(t, s, 5), acquire(t, s, 5)
	first.Release()
	first.Release()
	if got := s.Snapshot().Devices[0]; got.Reserved != 5 || got.Leases != 1 {
		t.Errorf("%d bytes in %d leases, want 5 in 1", got.Reserved, got.Leases)
	}
	second.Release()
	if got := s.Snapshot().Devices[0]; got.Reserved != 0 || got.Leases != 0 {
		t.Errorf("%d bytes in %d leases, want none", got.Reserved, got.Leases)
	}
}

func TestSmallRequestsDoNotStarveALargeOne(t *testing.T) {
	s := NewSlots(devices(10, 4), SlotOptions{})
	first := acquire(t, s, 1)
	large := s.enter(10)
	small := s.enter(2)
	if granted(t, small) == nil {
		t.Error("the second device is idle, and the older request cannot use it")
	}
	smaller := s.enter(3)
	if granted(t, smaller) != nil {
		t.Error("a younger request got the device that the older one waits for")
	}
	first.Release()
	if granted(t, large) == nil {
		t.Error("the device is idle, and the oldest request does not have it")
	}
}

func TestLeasesOfADeviceAreLimited(t *testing.T) {
	s := NewSlots(devices(10, 10), SlotOptions{Leases: 1})
	a, b := acquire(t, s, 1), acquire(t, s, 1)
	if a.Device().UUID == b.Device().UUID {
		t.Error("two leases on one device")
	}
	r := s.enter(1)
	if granted(t, r) != nil {
		t.Error("a third lease on two devices")
	}
	a.Release()
	if l := granted(t, r); l == nil || l.Device().UUID != a.Device().UUID {
		t.Error("the free device was not handed on")
	}
}

func TestACanceledRequestLeavesTheQueue(t *testing.T) {
	s := NewSlots(devices(10), SlotOptions{})
	held := acquire(t, s, 10)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := s.Acquire(ctx, 5)
		failed <- err
	}()
	for s.Snapshot().Waiting == 0 {
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
	held.Release()
	if got := s.Snapshot(); got.Waiting != 0 || got.Devices[0].Reserved != 0 {
		t.Errorf("%d waiting, %d bytes reserved, want none", got.Waiting, got.Devices[0].Reserved)
	}
	if _, err := s.Acquire(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
}

func TestALeaseThatComesTooLateIsGivenBack(t *testing.T) {
	s := NewSlots(devices(10), SlotOptions{})
	r := s.enter(10)
	s.withdraw(r)
	if got := s.Snapshot().Devices[0]; got.Reserved != 0 {
		t.Errorf("%d bytes reserved by nobody", got.Reserved)
	}
}

func TestADeviceOutOfServiceLosesItsLeases(t *testing.T) {
	s := NewSlots(devices(10), SlotOptions{})
	l, waiting := acquire(t, s, 6), s.enter(6)
	if err := s.TakeOut("GPU-0", "overheated"); err != nil {
		t.Fatal(err)
	}
	<-l.Lost()
	if l.Reason() != "overheated" || s.Snapshot().Devices[0].Out != "overheated" {
		t.Errorf("reasons %q and %q", l.Reason(), s.Snapshot().Devices[0].Out)
	}
	if a := <-waiting.answer; !errors.Is(a.err, ErrNoDevice) {
		t.Errorf("waiting request: %v, want ErrNoDevice", a.err)
	}
	if err := s.PutBack("GPU-0"); err != nil {
		t.Fatal(err)
	}
	if got := s.Snapshot().Devices[0]; got.Out != "" || got.Reserved != 6 {
		t.Errorf("out %q with %d bytes: a lost lease holds its memory until it is released", got.Out, got.Reserved)
	}
	l.Release()
	acquire(t, s, 10)
	if err := s.TakeOut("GPU-7", "x"); !errors.Is(err, ErrNoDevice) {
		t.Errorf("unknown device: %v", err)
	}
}

// model is the rule of Slots as it reads: the oldest request that can be answered is, again
// and again.
type model struct {
	limit   int
	devices []modelDevice
	queue   []modelRequest
}

type modelDevice struct {
	capacity uint64
	out      bool
	leases   map[int]uint64 // bytes by request
}

type modelRequest struct {
	id    int
	bytes uint64
}

func (d *modelDevice) free() uint64 {
	free := d.capacity
	for _, b := range d.leases {
		free -= b
	}
	return free
}

func (m *model) able(d int, bytes uint64) bool {
	return !m.devices[d].out && bytes <= m.devices[d].capacity
}

// step answers one request: its device, or -1 for a refusal.
func (m *model) step() (id, device int, ok bool) {
	for i, r := range m.queue {
		best, able := -1, false
		for d := range m.devices {
			if !m.able(d, r.bytes) {
				continue
			}
			able = true
			older := slices.ContainsFunc(m.queue[:i], func(o modelRequest) bool { return m.able(d, o.bytes) })
			full := r.bytes > m.devices[d].free() || m.limit > 0 && len(m.devices[d].leases) == m.limit
			if older || full {
				continue
			}
			if best < 0 || len(m.devices[d].leases) < len(m.devices[best].leases) ||
				len(m.devices[d].leases) == len(m.devices[best].leases) && m.devices[d].free() > m.devices[best].free() {
				best = d
			}
		}
		if able && best < 0 {
			continue
		}
		m.queue = slices.Delete(m.queue, i, i+1)
		if best >= 0 {
			m.devices[best].leases[r.id] = r.bytes
		}
		return r.id, best, true
	}
	return 0, 0, false
}

func (m *model) settle() map[int]int {
	answers := map[int]int{}
	for {
		id, device, ok := m.step()
		if !ok {
			return answers
		}
		answers[id] = device
	}
}

// TestSlotsFollowTheModel drives Slots and model with the same random operations.
func TestSlotsFollowTheModel(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { followModel(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func followModel(t *testing.T, random *rand.Rand) {
	m := &model{limit: random.IntN(4)}
	var list []Device
	for i := range 1 + random.IntN(4) {
		memory := uint64(random.IntN(20))
		list = append(list, Device{UUID: fmt.Sprintf("GPU-%d", i), Memory: memory})
		m.devices = append(m.devices, modelDevice{capacity: memory, leases: map[int]uint64{}})
	}
	s := NewSlots(list, SlotOptions{Leases: m.limit})
	requests, leases := map[int]*request{}, map[int]*Lease{}
	for id := range 150 {
		d := random.IntN(len(list))
		switch op := random.IntN(10); {
		case op < 5:
			bytes := uint64(random.IntN(22))
			m.queue = append(m.queue, modelRequest{id, bytes})
			requests[id] = s.enter(bytes)
		case op < 7:
			if victim, ok := pick(random, leases); ok {
				leases[victim].Release()
				delete(leases, victim)
				for i := range m.devices {
					delete(m.devices[i].leases, victim)
				}
			}
		case op < 8:
			if victim, ok := pick(random, requests); ok {
				s.withdraw(requests[victim])
				delete(requests, victim)
				m.queue = slices.DeleteFunc(m.queue, func(r modelRequest) bool { return r.id == victim })
			}
		case op < 9:
			m.devices[d].out = true
			if err := s.TakeOut(list[d].UUID, "out"); err != nil {
				t.Fatal(err)
			}
		default:
			m.devices[d].out = false
			if err := s.PutBack(list[d].UUID); err != nil {
				t.Fatal(err)
			}
		}
		compare(t, id, m, s, requests, leases)
	}
}

// pick takes a random key, the same for the same seed.
func pick[V any](random *rand.Rand, from map[int]V) (int, bool) {
	var keys []int
	for k := range from {
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return 0, false
	}
	slices.Sort(keys)
	return keys[random.IntN(len(keys))], true
}

func compare(t *testing.T, at int, m *model, s *Slots, requests map[int]*request, leases map[int]*Lease) {
	t.Helper()
	for id, device := range m.settle() {
		r := requests[id]
		delete(requests, id)
		select {
		case a := <-r.answer:
			if device < 0 != (a.err != nil) {
				t.Fatalf("operation %d: request %d: %v, the model says device %d", at, id, a.err, device)
			}
			if a.lease != nil {
				leases[id] = a.lease
			}
			if device >= 0 && a.lease.Device().UUID != fmt.Sprintf("GPU-%d", device) {
				t.Fatalf("operation %d: request %d is on %s, the model says %d", at, id, a.lease.Device().UUID, device)
			}
		default:
			t.Fatalf("operation %d: request %d waits, the model says device %d", at, id, device)
		}
	}
	snap := s.Snapshot()
	for i, d := range snap.Devices {
		if d.Reserved > d.Capacity || d.Capacity-d.Reserved != m.devices[i].free() || d.Leases != len(m.devices[i].leases) {
			t.Fatalf("operation %d: device %d: %d of %d bytes reserved", at, i, d.Reserved, d.Capacity)
		}
	}
	if snap.Waiting != len(m.queue) {
		t.Fatalf("operation %d: %d requests wait, the model says %d", at, snap.Waiting, len(m.queue))
	}
}

func TestMemoryIsNeverOversubscribed(t *testing.T) {
	s := NewSlots(devices(10, 7, 3), SlotOptions{})
	var used [3]atomic.Int64
	var wait sync.WaitGroup
	for worker := range uint64(8) {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(worker, 2))
			for range 300 {
				bytes := uint64(1 + random.IntN(10))
				l, err := s.Acquire(t.Context(), bytes)
				if err != nil {
					t.Error(err)
					return
				}
				d := l.Device()
				if now := used[d.Index].Add(int64(bytes)); now > int64(d.Memory) {
					t.Errorf("%d bytes of %s in use, it has %d", now, d.UUID, d.Memory)
				}
				used[d.Index].Add(-int64(bytes))
				l.Release()
			}
		})
	}
	wait.Wait()
}
