package fleet

import (
	"cmp"
	"slices"
	"time"
)

const maxWorkers = 256

// roster knows the workers by their signs of life. It has no clock and no lock.
type roster struct {
	workers map[string]*member
	gone    time.Duration // after which a worker without a sign of life is gone
}

type member struct {
	slots []Slot
	seen  time.Time
}

// beat notes a sign of life and says whether slots came or went.
func (r *roster) beat(now time.Time, m *beatMessage) bool {
	old, known := r.workers[m.Worker]
	if len(m.Slots) == 0 {
		delete(r.workers, m.Worker)
		return known && len(old.slots) > 0
	}
	if !known && len(r.workers) >= maxWorkers {
		return false
	}
	var slots []Slot
	for _, s := range m.Slots {
		slots = append(slots, Slot{Worker: m.Worker, Device: s.Device, Class: s.Class, Memory: s.Memory, CPU: s.CPU})
	}
	r.workers[m.Worker] = &member{slots, now}
	return !known || !slices.Equal(old.slots, slots)
}

// expire forgets who has missed too many and says whether there was one.
func (r *roster) expire(now time.Time) bool {
	before := len(r.workers)
	for name, m := range r.workers {
		if now.Sub(m.seen) > r.gone {
			delete(r.workers, name)
		}
	}
	return len(r.workers) != before
}

// slots are those of all workers, ordered by worker, in the order each gave.
func (r *roster) slots() []Slot {
	var all []Slot
	for _, m := range r.workers {
		all = append(all, m.slots...)
	}
	slices.SortStableFunc(all, func(a, b Slot) int { return cmp.Compare(a.Worker, b.Worker) })
	return all
}
