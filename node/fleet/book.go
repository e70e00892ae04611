package fleet

import "time"

// entry is a task between Submit and Done.
type entry struct {
	device   string
	due      time.Time
	tasks    uint64    // sequence number in the tasks stream; 0: not known to be there
	outcome  uint64    // in the outcomes stream; 0: not answered
	answered bool      // the outcome was accepted
	seen     time.Time // when somebody last said that it runs, or when this node last could not know
}

// book knows the tasks that are in the streams. Invariant: a task or an outcome in a stream that
// has no entry is a stranger's, or late.
type book struct {
	open  map[string]*entry
	limit int
}

// admit makes the entry of a new task. Fresh says that it is new, ok that there is room for it.
func (b *book) admit(t *Task, now time.Time) (e *entry, fresh, ok bool) {
	if e, known := b.open[t.ID]; known {
		return e, false, true
	}
	if len(b.open) >= b.limit {
		return nil, false, false
	}
	e = &entry{device: t.Device, due: time.UnixMilli(int64(min(t.Due, maxDue))), seen: now}
	b.open[t.ID] = e
	return e, true, true
}

// maxDue is the year 9999, in milliseconds since 1970.
const maxDue = 253402300799999

// waiting and answered count the tasks without and with an outcome.
func (b *book) waiting() int { return len(b.open) - b.answered() }

func (b *book) answered() int {
	n := 0
	for _, e := range b.open {
		if e.answered {
			n++
		}
	}
	return n
}

// see notes that tasks run, and lists those of them that nobody wants.
func (b *book) see(ids []string, now time.Time) (unwanted []string) {
	for _, id := range ids {
		if e := b.open[id]; e != nil && !e.answered {
			e.seen = now
		} else {
			unwanted = append(unwanted, id)
		}
	}
	return unwanted
}

// overdue lists the tasks that are due and of which nobody said within the grace that they run.
func (b *book) overdue(now time.Time, grace time.Duration) []string {
	var all []string
	for id, e := range b.open {
		if !e.answered && now.After(e.due.Add(grace)) && now.After(e.seen.Add(grace)) {
			all = append(all, id)
		}
	}
	return all
}
