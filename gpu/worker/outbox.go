package worker

import (
	"net"
	"sync"
	"time"
)

// progressPeriod is the least time between reports of one stage.
const progressPeriod = 50 * time.Millisecond

// outbox is what the child sends, one frame at a time. Beats and progress are only sent
// between a job's begin and its end.
type outbox struct {
	conn *net.UnixConn
	mu   struct {
		sync.Mutex
		busy  bool
		start time.Duration // processor time of the process when the job began
		stage string
		sent  time.Time // when progress was last sent
	}
}

func (o *outbox) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.busy, o.mu.start, o.mu.stage, o.mu.sent = true, processorTime(), "", time.Time{}
}

// end sends a job's last frame.
func (o *outbox) end(kind byte, first []byte, parts ...[]byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.busy = false
	return writeFrame(o.conn, kind, first, parts...)
}

// beat skips its turn while another frame is under way, which is as good a sign of life.
func (o *outbox) beat() error {
	if !o.mu.TryLock() {
		return nil
	}
	defer o.mu.Unlock()
	if !o.mu.busy {
		return nil
	}
	return writeFrame(o.conn, frameBeat, encodeBeat(beat{processorTime() - o.mu.start, residentSize()}))
}

// progress leaves errors of a broken connection to who reads it.
func (o *outbox) progress(stage string, done, total int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if !o.mu.busy || stage == o.mu.stage && done != total && now.Sub(o.mu.sent) < progressPeriod {
		return
	}
	o.mu.stage, o.mu.sent = stage, now
	_ = writeFrame(o.conn, frameProgress, encodeProgress(stage, done, total))
}
