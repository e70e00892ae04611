package market

import (
	"slices"

	"github.com/weisyn/wes/chain"
)

// Event is something that happened: one of the structs of this package whose comment says "event".
type Event any

// Effect is something to be done: one of the structs whose comment says "effect".
type Effect any

// Record is what has to be stored under a name before the effects that come with it.
type Record struct {
	ID    chain.Hash
	Bytes []byte
}

// Output is what a step leads to.
type Output struct {
	Records []Record
	Effects []Effect
	// Changed are the jobs whose status is another.
	Changed []chain.Hash
}

// Tick is the event that time has passed.
type Tick struct{}

// Resume is the event that a process goes on with jobs that were loaded.
type Resume struct{}

// outbox collects the output of a step.
type outbox struct {
	effects []Effect
	dirty   []chain.Hash // to be stored
	changed []chain.Hash
}

func (o *outbox) emit(e Effect) { o.effects = append(o.effects, e) }

func (o *outbox) touch(id chain.Hash) {
	if !slices.Contains(o.changed, id) {
		o.changed = append(o.changed, id)
	}
}

func (o *outbox) save(id chain.Hash) {
	if !slices.Contains(o.dirty, id) {
		o.dirty = append(o.dirty, id)
	}
	o.touch(id)
}

// take empties the outbox; record encodes a job.
func (o *outbox) take(record func(chain.Hash) []byte) Output {
	out := Output{Effects: o.effects, Changed: o.changed}
	for _, id := range o.dirty {
		out.Records = append(out.Records, Record{id, record(id)})
	}
	*o = outbox{}
	return out
}

// earliest keeps the smaller of two times, of which 0 is none.
func earliest(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
