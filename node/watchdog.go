package node

import (
	"fmt"
	"time"
)

// staleBlocks is after how many block times without a new header the node counts as cut off.
const staleBlocks = 10

// watchdog notices that no header has come for too long. It is used from one goroutine.
type watchdog struct {
	limit   time.Duration // 0: never
	best    string        // the last header seen
	since   time.Time     // when it was new
	redials int
}

// observe takes the best header at a time. It says how long there has been no other if that is
// too long, else zero, and whether to redial: once for each time the limit has passed.
func (w *watchdog) observe(now time.Time, best string) (silence time.Duration, redial bool) {
	if w.since.IsZero() || best != w.best {
		w.best, w.since, w.redials = best, now, 0
	}
	silence = now.Sub(w.since)
	if w.limit == 0 || silence < w.limit {
		return 0, false
	}
	times := int(silence / w.limit)
	redial = times > w.redials
	w.redials = times
	return silence, redial
}

// readiness is what a node needs to be of use.
type readiness struct {
	initial   bool          // the first sync is not over
	height    uint64        // of the ledger
	headers   uint64        // of the best header
	peers     int           //
	alone     bool          // needs no peers: it makes blocks itself
	silence   time.Duration // without a header, if too long
	unwritten error         // why the disk takes nothing
}

// cause is why a node is not ready: a word for metrics, and a text for people.
type cause struct{ word, text string }

// Words of the causes.
const (
	causeDisk    = "disk"
	causePeers   = "peers"
	causeSync    = "sync"
	causeSilence = "silence"
)

// causes says why the node is not ready; none if it is.
func (r *readiness) causes() []cause {
	var all []cause
	if r.unwritten != nil {
		all = append(all, cause{causeDisk, fmt.Sprintf("the disk takes no writes: %v", r.unwritten)})
	}
	if r.peers == 0 && !r.alone {
		all = append(all, cause{causePeers, "no peers are connected"})
	}
	if r.initial && !r.alone || r.headers > r.height+1 {
		all = append(all, cause{causeSync, fmt.Sprintf("syncing: block %d of %d", r.height, r.headers)})
	}
	if r.silence > 0 {
		all = append(all, cause{causeSilence, fmt.Sprintf("no header for %v", r.silence.Round(time.Second))})
	}
	return all
}
