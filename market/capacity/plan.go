package capacity

// schedule is what a simulation of the queue says.
type schedule struct {
	end   uint64      // of the extra task
	found bool        // there is a slot for it
	late  map[ID]bool // tasks that miss their due times
}

// plan simulates the queue, with one more task if extra is not nil.
func (p *Planner) plan(now uint64, extra *task) schedule {
	free := p.freeAt(now)
	queue := p.queue(now)
	if extra != nil {
		queue = append(queue, extra)
		sortTasks(now, queue)
	}
	s := schedule{late: map[ID]bool{}}
	for _, t := range queue {
		done, found := p.assign(t, free)
		if t == extra {
			s.end, s.found = done, found
		} else if found && done > t.dueAt(now) {
			s.late[t.id] = true
		}
	}
	return s
}

// harms reports whether a task is late that is not late without the extra one.
func (s *schedule) harms(without *schedule) bool {
	for id := range s.late {
		if !without.late[id] {
			return true
		}
	}
	return false
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
	for _, t := range p.queue(now) {
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
