package capacity

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// ID names a task.
type ID [32]byte

// Options are an operator's bounds.
type Options struct {
	MaxTasks     int // admitted and not done; default 256
	MaxHeld      int // bids that stand; default 128
	MaxPerClient int // tasks and bids of one client; default 64
	Programs     int // that estimates are kept for; default 4096
}

func (o Options) withDefaults() Options {
	o.MaxTasks, o.MaxHeld = cmp.Or(o.MaxTasks, 256), cmp.Or(o.MaxHeld, 128)
	o.MaxPerClient, o.Programs = cmp.Or(o.MaxPerClient, 64), cmp.Or(o.Programs, 4096)
	return o
}

// Slot is a device that runs one task at a time.
type Slot struct {
	Device string // UUID
	Class  string
	Memory uint64 // bytes
	CPU    bool
}

// Need is what a task takes.
type Need struct {
	Program Program
	Client  [32]byte
	Units   uint64 // of work
	Memory  uint64 // bytes
}

// Reason says why a task is not admitted.
type Reason string

// The reasons.
const (
	Infeasible Reason = "infeasible" // no slot has the memory, or the deadline is too near for an idle one
	Busy       Reason = "busy"       // it would fit but for what was admitted before
	Capped     Reason = "capped"     // a bound of Options
	Draining   Reason = "draining"   // nothing new is admitted
	Unmeasured Reason = "unmeasured" // nothing ran on this class of devices yet
)

// Denial is a task that is not admitted.
type Denial struct {
	Reason Reason
	Need   uint64 // ms that the task takes on the fastest slot; 0: not known
	Wait   uint64 // ms until there may be room; 0: not known
}

func (d *Denial) Error() string {
	return fmt.Sprintf("%s: takes %d ms, room in %d ms", d.Reason, d.Need, d.Wait)
}

type phase uint8

const (
	held phase = iota + 1
	committed
	ready
	running
)

// task is something admitted.
type task struct {
	id   ID
	need Need
	due  uint64
	// A task is promised a time after it is committed; a held one may be so soon.
	promise uint64
	goal    uint64 // when a committed one is to be done by its promise; 0: when it is due
	until   uint64 // of a held one
	order   uint64
	phase   phase
	cpu     bool // may run on the CPU only
	slot    string
	began   uint64
	takes   uint64 // ms, by the estimate when it began
}

// Planner is an operator's capacity.
type Planner struct {
	opts      Options
	slots     []Slot
	tasks     map[ID]*task
	estimates *estimates
	order     uint64
	cordoned  bool
}

// New returns a planner without slots.
func New(o Options) *Planner {
	o = o.withDefaults()
	return &Planner{opts: o, tasks: map[ID]*task{}, estimates: newEstimates(o.Programs)}
}

// ErrTwice is returned for a device that is there already.
var ErrTwice = errors.New("the device is advertised twice")

// AddSlot adds a device.
func (p *Planner) AddSlot(s Slot) error {
	if slices.ContainsFunc(p.slots, func(t Slot) bool { return t.Device == s.Device }) {
		return fmt.Errorf("%w: %q", ErrTwice, s.Device)
	}
	p.slots = append(p.slots, s)
	slices.SortFunc(p.slots, func(a, b Slot) int { return cmp.Compare(a.Device, b.Device) })
	return nil
}

// RemoveSlot removes a device. What runs there has ended only when Finish says so: the device may come
// back with it.
func (p *Planner) RemoveSlot(device string) {
	p.slots = slices.DeleteFunc(p.slots, func(s Slot) bool { return s.Device == device })
}

// Slots lists the devices, by UUID.
func (p *Planner) Slots() []Slot { return slices.Clone(p.slots) }

// Cordon stops or allows admission.
func (p *Planner) Cordon(on bool) { p.cordoned = on }

// Cordoned reports whether admission is stopped.
func (p *Planner) Cordoned() bool { return p.cordoned }

// Depth returns how many tasks wait or run, and how many bids stand.
func (p *Planner) Depth() (tasks, bids int) {
	for _, t := range p.tasks {
		if t.phase == held {
			bids++
		} else {
			tasks++
		}
	}
	return tasks, bids
}

// Observe takes the measured time of a run, in ns.
func (p *Planner) Observe(n *Need, class string, ns uint64) {
	p.estimates.observe(n.Program, class, n.Units, ns)
}

// Estimate returns how long a run takes on a device, in ms; false if there is no such device, or
// nothing is known of its class.
func (p *Planner) Estimate(n *Need, device string) (uint64, bool) {
	for _, s := range p.slots {
		if s.Device == device {
			return p.estimates.estimate(n.Program, s.Class, n.Units)
		}
	}
	return 0, false
}

// Hold admits a task for a bid that stands until an instant, and returns how long it takes from now
// until it is done, in ms, with the class of the device.
func (p *Planner) Hold(now uint64, id ID, n Need, deadline, until uint64) (promise uint64, class string, d *Denial) {
	p.expire(now)
	if p.tasks[id] != nil {
		delete(p.tasks, id)
	}
	if d := p.capped(&n); d != nil {
		return 0, "", d
	}
	alone, class, known := p.alone(&n)
	switch {
	case !known:
		return 0, "", &Denial{Reason: Unmeasured}
	case class == "":
		return 0, "", &Denial{Reason: Infeasible}
	case now+alone > deadline || now+alone < now:
		return 0, "", &Denial{Reason: Infeasible, Need: alone}
	}
	p.order++
	t := &task{id: id, need: n, until: until, order: p.order, phase: held}
	if !p.fit(now, t, deadline) {
		return 0, "", &Denial{Reason: Busy, Need: alone, Wait: p.backlog(now)}
	}
	p.tasks[id] = t
	t.promise = max(t.due-now, 1)
	return t.promise, class, nil
}

// last is due after everything else.
const last = 1<<64 - 1

// fit sets a due time at which nothing that was admitted before is late because of the task: when it
// would end behind all others or, if that is too late or in somebody's way, the deadline.
func (p *Planner) fit(now uint64, t *task, deadline uint64) bool {
	without := p.plan(now, nil)
	t.due = last
	behind := p.plan(now, t)
	if !behind.found {
		return false
	}
	for _, due := range []uint64{min(behind.end, deadline), deadline} {
		t.due = due
		if with := p.plan(now, t); with.end <= due && !with.harms(&without) {
			return true
		}
	}
	return false
}

func (p *Planner) capped(n *Need) *Denial {
	if p.cordoned {
		return &Denial{Reason: Draining}
	}
	tasks, bids := p.Depth()
	client := 0
	for _, t := range p.tasks {
		if t.need.Client == n.Client {
			client++
		}
	}
	if tasks >= p.opts.MaxTasks || bids >= p.opts.MaxHeld || client >= p.opts.MaxPerClient {
		return &Denial{Reason: Capped}
	}
	return nil
}

// alone is how long a task takes on the fastest slot that can hold it; no class if there is none, and
// not known if nothing was measured on those that could.
func (p *Planner) alone(n *Need) (least uint64, class string, known bool) {
	fits := false
	for _, s := range p.slots {
		if s.Memory < n.Memory {
			continue
		}
		fits = true
		takes, ok := p.estimates.estimate(n.Program, s.Class, n.Units)
		if ok && (class == "" || takes < least) {
			least, class = takes, s.Class
		}
	}
	return least, class, class != "" || !fits
}

// expire forgets bids that stand no more.
func (p *Planner) expire(now uint64) {
	for id, t := range p.tasks {
		if t.phase == held && t.until < now {
			delete(p.tasks, id)
		}
	}
}

// Commit makes a bid a task that is due. Until then it is run as was promised.
func (p *Planner) Commit(now uint64, id ID, due uint64) bool {
	t := p.tasks[id]
	if t == nil {
		return false
	}
	t.phase, t.due, t.goal = committed, due, now+t.promise
	return true
}

// Restore takes up a task that a planner before this one had committed.
func (p *Planner) Restore(id ID, n Need, due uint64) {
	p.order++
	p.tasks[id] = &task{id: id, need: n, due: due, order: p.order, phase: committed}
}

// Release forgets a bid or a task.
func (p *Planner) Release(id ID) { delete(p.tasks, id) }

// Ready lets a committed task run.
func (p *Planner) Ready(id ID) {
	if t := p.tasks[id]; t != nil && t.phase == committed {
		t.phase = ready
	}
}

// Placed is a task that is to run on a slot.
type Placed struct {
	ID   ID
	Slot Slot
}

// Place begins tasks on idle slots: the earliest due that fits.
func (p *Planner) Place(now uint64) []Placed {
	var all []Placed
	for _, t := range p.queue(now) {
		if t.phase != ready {
			continue
		}
		best := -1
		var least uint64
		for i, s := range p.slots {
			if p.busy(s.Device) || !t.fits(&s) {
				continue
			}
			takes, _ := p.estimates.estimate(t.need.Program, s.Class, t.need.Units)
			if best < 0 || takes < least {
				best, least = i, takes
			}
		}
		if best < 0 {
			continue
		}
		t.phase, t.slot, t.began, t.takes = running, p.slots[best].Device, now, max(least, 1)
		all = append(all, Placed{t.id, p.slots[best]})
	}
	return all
}

func (t *task) fits(s *Slot) bool { return s.Memory >= t.need.Memory && (!t.cpu || s.CPU) }

func (p *Planner) busy(device string) bool {
	for _, t := range p.tasks {
		if t.phase == running && t.slot == device {
			return true
		}
	}
	return false
}

// dueAt is when a task is to be done by its promise, if it is committed now where it is not.
func (t *task) dueAt(now uint64) uint64 {
	switch {
	case t.phase == held && t.promise > 0:
		return now + t.promise
	case t.goal > 0:
		return t.goal
	}
	return t.due
}

// queue lists what waits, the earliest due first, then in the order of admission.
func (p *Planner) queue(now uint64) []*task {
	var all []*task
	for _, t := range p.tasks {
		if t.phase != running {
			all = append(all, t)
		}
	}
	sortTasks(now, all)
	return all
}

func sortTasks(now uint64, all []*task) {
	slices.SortFunc(all, func(a, b *task) int {
		return cmp.Or(cmp.Compare(a.dueAt(now), b.dueAt(now)), cmp.Compare(a.order, b.order), bytes.Compare(a.id[:], b.id[:]))
	})
}

// Finish ends a run. took is in ns; 0 of a run that failed.
func (p *Planner) Finish(id ID, took uint64) {
	t := p.tasks[id]
	if t == nil || t.phase != running {
		return
	}
	if took > 0 {
		for _, s := range p.slots {
			if s.Device == t.slot {
				p.Observe(&t.need, s.Class, took)
			}
		}
		delete(p.tasks, id)
		return
	}
	t.phase, t.slot = committed, ""
}

// Again lets a task that failed run once more, on the CPU only if cpu is set. It reports whether
// there is a slot for it.
func (p *Planner) Again(id ID, cpu bool) bool {
	t := p.tasks[id]
	if t == nil || t.phase == running {
		return false
	}
	t.cpu = t.cpu || cpu
	if !slices.ContainsFunc(p.slots, func(s Slot) bool { return t.fits(&s) }) {
		return false
	}
	t.phase = ready
	return true
}

// Hopeless lists tasks that will not be done when they are due, by the estimates of what is left.
func (p *Planner) Hopeless(now uint64) []ID {
	var all []ID
	for _, t := range p.tasks {
		switch t.phase {
		case running:
			if now > t.due {
				all = append(all, t.id)
			}
		case ready, committed:
			if takes, _, _ := p.alone(&t.need); now+takes > t.due {
				all = append(all, t.id)
			}
		}
	}
	slices.SortFunc(all, func(a, b ID) int { return bytes.Compare(a[:], b[:]) })
	return all
}
