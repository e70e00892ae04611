package capacity

// plan simulates the queue with one more task, and returns when that ends. It is not ok if a task
// that was admitted before would miss its due time, or the new one has no slot.
func (p *Planner) plan(now uint64, extra *task) (end uint64, ok bool) {
	free := p.freeAt(now)
	queue := append(p.queue(), extra)
	sortTasks(queue)
	for _, t := range queue {
		done, found := p.assign(t, free)
		switch {
		case t == extra:
			if end = done; !found {
				return 0, false
			}
		case found && done > t.due:
			return 0, false
		}
	}
	return end, true
}

// freeAt says when each slot is free. A run that has exceeded its estimate is taken to last as long
// again as it has.
func (p *Planner) freeAt(now uint64) []uint64 {
	free := make([]uint64, len(p.slots))
	for i, s := range p.slots {
		free[i] = now
		for _, t := range p.tasks {
			if t.phase != running || t.slot != s.Device {
				continue
			}
			end := t.began + t.takes
			if end <= now {
				end = now + (now - t.began)
			}
			free[i] = max(free[i], end)
		}
	}
	return free
}

// assign puts a task on the slot where it ends first, and returns when that is.
func (p *Planner) assign(t *task, free []uint64) (done uint64, found bool) {
	best := -1
	for i := range p.slots {
		if !t.fits(&p.slots[i]) {
			continue
		}
		takes, known := p.estimates.estimate(t.need.Program, p.slots[i].Class, t.need.Units)
		if !known {
			continue
		}
		if end := free[i] + takes; best < 0 || end < done {
			best, done = i, end
		}
	}
	if best < 0 {
		return 0, false
	}
	free[best] = done
	return done, true
}

// backlog is how long until the first slot is free of all that was admitted.
func (p *Planner) backlog(now uint64) uint64 {
	free := p.freeAt(now)
	for _, t := range p.queue() {
		p.assign(t, free)
	}
	var least uint64
	for i, f := range free {
		if i == 0 || f < least {
			least = f
		}
	}
	return least - min(least, now)
}
