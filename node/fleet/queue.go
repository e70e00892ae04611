package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

const maxEvents = 256

// Queue is the node's side. Its methods may be called from any goroutine.
type Queue struct {
	config   Config
	layout   layout
	server   *embedded // nil with a URL
	nc       *nats.Conn
	js       jetstream.JetStream
	tasks    jetstream.Stream
	outcomes jetstream.Stream
	marks    jetstream.Stream
	programs jetstream.ObjectStore
	metrics  *queueMetrics
	answers  chan Outcome
	events   chan Event

	mu struct {
		sync.Mutex
		book    book
		roster  roster
		changed chan struct{}   // closed when slots come or go
		lanes   map[string]bool // devices whose consumer exists
	}
}

// Open starts or reaches the server, makes the streams and finds the tasks and outcomes of
// earlier. The caller closes the queue.
func Open(ctx context.Context, config Config) (*Queue, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	q := &Queue{config: config, layout: layout{config.Name}, answers: make(chan Outcome), events: make(chan Event, maxEvents)}
	q.mu.book = book{map[string]*entry{}, config.MaxTasks}
	q.mu.roster = roster{map[string]*member{}, missedBeats * config.Beat}
	q.mu.changed, q.mu.lanes = make(chan struct{}), map[string]bool{}
	if err := q.open(ctx); err != nil {
		q.Close()
		return nil, fmt.Errorf("open queue: %w", err)
	}
	return q, nil
}

func (q *Queue) open(ctx context.Context) (err error) {
	if q.metrics, err = newMetrics(q.config.Registry, q.sizes); err != nil {
		return err
	}
	if q.config.URL == "" {
		if q.server, err = start(&q.config); err != nil {
			return err
		}
	}
	url, how := q.dial()
	if q.nc, q.js, err = connect(url, q.config.Name, q.config.Log, how); err != nil {
		return err
	}
	if err := q.layout.create(ctx, q.js, &q.config); err != nil {
		return err
	}
	if err := q.bind(ctx); err != nil {
		return err
	}
	return q.restore(ctx)
}

// dial says how to reach the server from this process.
func (q *Queue) dial() (string, []nats.Option) {
	if q.server != nil {
		return "", q.server.dial()
	}
	c := &q.config
	return c.URL, remote(c.Token, c.Credentials, c.TLSCert, c.TLSKey, c.TLSCA)
}

func (q *Queue) bind(ctx context.Context) (err error) {
	for name, s := range map[string]*jetstream.Stream{
		q.layout.tasks(): &q.tasks, q.layout.outcomes(): &q.outcomes, q.layout.marks(): &q.marks,
	} {
		if *s, err = q.js.Stream(ctx, name); err != nil {
			return fmt.Errorf("stream %s: %w", name, err)
		}
	}
	if q.programs, err = q.js.ObjectStore(ctx, q.layout.programs()); err != nil {
		return fmt.Errorf("store %s: %w", q.layout.programs(), err)
	}
	return nil
}

// Close ends what Open began. It must follow the end of Run, and of a Work with this queue.
func (q *Queue) Close() error {
	if q.nc != nil {
		q.nc.Close()
	}
	if q.server != nil && q.server.server != nil {
		q.server.stop()
	}
	return nil
}

// Address is where the embedded server listens, host:port; empty if it does not.
func (q *Queue) Address() string {
	if q.server == nil || q.config.Listen == "" {
		return ""
	}
	return q.server.address()
}

// Run collects outcomes and progress, follows the workers and answers what is overdue, until ctx
// ends. It must be called once.
func (q *Queue) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for subject, f := range map[string]nats.MsgHandler{q.layout.beat("*"): q.beat, q.layout.event("*"): q.event} {
		sub, err := q.nc.Subscribe(subject, f)
		if err != nil {
			return fmt.Errorf("subscribe to %s: %w", subject, err)
		}
		defer sub.Unsubscribe()
		if err := sub.SetPendingLimits(4096, 4<<20); err != nil {
			return fmt.Errorf("subscribe to %s: %w", subject, err)
		}
	}
	g.Go(func() error { return q.collect(ctx) })
	g.Go(func() error { return q.tend(ctx) })
	return g.Wait()
}

// Events are of tasks that run. Who does not read them in time misses some.
func (q *Queue) Events() <-chan Event { return q.events }

// Slots are those of the workers that show signs of life, and a channel that is closed when they
// have changed.
func (q *Queue) Slots() ([]Slot, <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.mu.roster.slots(), q.mu.changed
}

func (q *Queue) sizes() sizes {
	q.mu.Lock()
	defer q.mu.Unlock()
	return sizes{q.mu.book.waiting(), q.mu.book.answered(), len(q.mu.roster.workers), len(q.mu.roster.slots())}
}

// beat takes a worker's sign of life and answers with the tasks it may leave.
func (q *Queue) beat(msg *nats.Msg) {
	m, err := decode[beatMessage](msg.Data, maxSmall)
	if err != nil || m.Worker != last(msg.Subject) {
		q.metrics.ignored.WithLabelValues("beat").Inc()
		return
	}
	q.mu.Lock()
	q.moved(q.mu.roster.beat(time.Now(), m))
	unwanted := q.mu.book.see(m.Running, time.Now())
	q.mu.Unlock()
	if msg.Reply != "" {
		// A worker that does not hear this asks again with its next beat.
		_ = msg.Respond(encode(&dropMessage{Version: version, IDs: append([]string{}, unwanted...)}))
	}
}

// moved tells those who wait that slots came or went. The caller holds the lock.
func (q *Queue) moved(changed bool) {
	if changed {
		close(q.mu.changed)
		q.mu.changed = make(chan struct{})
	}
}

func (q *Queue) event(msg *nats.Msg) {
	id := last(msg.Subject)
	m, err := decode[eventMessage](msg.Data, maxSmall)
	if err != nil || !isID(id) {
		q.metrics.ignored.WithLabelValues("event").Inc()
		return
	}
	q.mu.Lock()
	unwanted := q.mu.book.see([]string{id}, time.Now())
	q.mu.Unlock()
	if len(unwanted) > 0 {
		return
	}
	select {
	case q.events <- Event{id, m.Stage, int(m.Done), int(m.Total)}:
	default:
	}
}

// tend answers what is overdue and forgets workers that are gone.
func (q *Queue) tend(ctx context.Context) error {
	tick := time.NewTicker(q.config.Beat / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			for _, id := range q.expire(now) {
				if err := q.answer(ctx, id, ReasonExpired); err != nil && !errors.Is(err, ErrNoTask) {
					q.config.Log.Warn("answer a task that is overdue: later again", keyTask, id, keyError, err)
				}
			}
		}
	}
}

func (q *Queue) expire(now time.Time) []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.moved(q.mu.roster.expire(now))
	return q.mu.book.overdue(now, 2*q.config.Beat)
}
