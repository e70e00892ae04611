package worker

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// silence is how many beats a child may miss.
const silence = 20

// pulse tells a job that goes on from one that hangs. It counts ticks, one for each beat that
// is due, and not time: a parent that was stopped or a machine that slept raises no alarm.
// It only counts while the parent waits for the child.
type pulse struct {
	period time.Duration // of beats
	cpu    time.Duration // processor time that a job may use, 0: no limit
	mu     struct {
		sync.Mutex
		waiting  bool
		reply    bool          // bytes that come are the reply's
		quiet    int           // ticks since the last byte
		idle     int           // ticks since progress or processor time
		stall    int           // ticks that idle may reach
		used     time.Duration // processor time of the job
		resident int64         // bytes at the last beat, 0: unknown
	}
}

// begin resets the pulse for a job.
func (p *pulse) begin(stall time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.waiting, p.mu.reply, p.mu.quiet, p.mu.idle, p.mu.used = false, false, 0, 0, 0
	p.mu.stall = max(1, int((stall+p.period-1)/p.period))
}

func (p *pulse) wait(waiting bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.waiting = waiting
}

// bytes notes that the child sent something.
func (p *pulse) bytes() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.waiting, p.mu.quiet = false, 0
	if p.mu.reply {
		p.mu.idle = 0
	}
}

func (p *pulse) replies() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.reply = true
}

func (p *pulse) progress() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.idle = 0
}

// beat takes a fiftieth of one core for work. Beats themselves cost less than a thousandth.
func (p *pulse) beat(b beat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b.processor-p.mu.used >= p.period/50 {
		p.mu.idle = 0
	}
	p.mu.used, p.mu.resident = b.processor, b.resident
}

func (p *pulse) resident() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.resident
}

// tick is called once a period and returns why the child must be killed, or nil.
func (p *pulse) tick() *Failure {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.mu.waiting {
		return nil
	}
	p.mu.quiet++
	p.mu.idle++
	switch {
	case p.cpu > 0 && p.mu.used > p.cpu:
		return &Failure{Reason: ReasonDeadline, Err: fmt.Errorf("processor time of %v used up", p.cpu)}
	case p.mu.quiet > silence:
		return &Failure{Reason: ReasonHung, Err: fmt.Errorf("no sign of life for %v", silence*p.period)}
	case p.mu.idle > p.mu.stall:
		return &Failure{Reason: ReasonHung, Err: fmt.Errorf("neither progress nor processor time for %v", time.Duration(p.mu.stall)*p.period)}
	}
	return nil
}

// watched is a connection whose reads a pulse knows of.
type watched struct {
	net.Conn
	pulse *pulse
}

func (w watched) Read(b []byte) (int, error) {
	w.pulse.wait(true)
	n, err := w.Conn.Read(b)
	if n > 0 {
		w.pulse.bytes()
	}
	return n, err
}
