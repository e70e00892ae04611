package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// Executor does the tasks of a worker.
type Executor interface {
	// Slots lists what this worker offers, at most 64; it is asked again with every sign of life.
	// Slots of one device are equal or differ in memory.
	Slots() []Slot
	// Execute runs a task in a slot and returns at most MaxBody bytes. Program is the path of a
	// file that exists during the call, empty if the task names none. Progress may be called from
	// any goroutine until Execute returns; a call with what the last one had is no progress.
	// Execute must return when ctx ends. Its errors are a *Failure, or count as ReasonFailed
	// without another attempt. Calls for different slots run at the same time.
	Execute(ctx context.Context, slot Slot, t Task, program string, progress func(stage string, done, total int)) ([]byte, error)
}

// goodbyeWithin bounds what a worker says after its context has ended.
const goodbyeWithin = 2 * time.Second

// findWithin bounds the question for the queue: a server that just starts may leave it without an answer.
const findWithin = time.Second

// worker takes tasks and answers them.
type worker struct {
	config   WorkerConfig
	layout   layout
	executor Executor
	nc       *nats.Conn
	js       jetstream.JetStream
	marks    jetstream.Stream
	cache    *cache
	closed   chan struct{} // the connection is closed for good

	mu struct {
		sync.Mutex
		running map[string]context.CancelCauseFunc // by task
		woken   chan struct{}                      // closed when there may be tasks
	}
}

// Work takes tasks until ctx ends; tasks that run then are given back. A server that is away is
// waited for, one that refuses the credentials is an error.
func Work(ctx context.Context, config WorkerConfig, executor Executor) error {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return err
	}
	w := &worker{config: config, layout: layout{config.QueueName}, executor: executor, closed: make(chan struct{})}
	w.mu.running, w.mu.woken = map[string]context.CancelCauseFunc{}, make(chan struct{})
	if err := w.reach(ctx); err != nil {
		return err
	}
	defer w.nc.Close()
	var err error
	if w.cache, err = openCache(config.Dir, config.MaxPrograms, &store{w.js, w.layout.programs()}); err != nil {
		return fmt.Errorf("open programs: %w", err)
	}
	return w.run(ctx)
}

// reach connects and finds the streams; a queue that is not there yet is waited for.
func (w *worker) reach(ctx context.Context) error {
	retry := time.NewTicker(w.config.Poll)
	defer retry.Stop()
	say := w.config.Log.Debug
	if w.config.Queue == nil {
		say = w.config.Log.Warn
	}
	for {
		err := w.bind(ctx)
		if err == nil || errors.Is(err, nats.ErrAuthorization) {
			return err
		}
		if ctx.Err() == nil {
			say("the queue is not reached yet: it is waited for", keyError, err)
		}
		say = w.config.Log.Debug
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-retry.C:
		}
	}
}

func (w *worker) bind(ctx context.Context) error {
	c := &w.config
	url, how := c.URL, remote(c.Token, c.Credentials, c.TLSCert, c.TLSKey, c.TLSCA)
	if c.Queue != nil {
		url, how = c.Queue.dial()
	}
	closed := make(chan struct{})
	how = append(how, nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	nc, js, err := connect(url, c.Name, c.Log, how)
	if err != nil {
		return err
	}
	soon, stop := context.WithTimeout(ctx, findWithin)
	defer stop()
	marks, err := js.Stream(soon, w.layout.marks())
	if err != nil {
		nc.Close()
		return fmt.Errorf("find the queue: %w", err)
	}
	w.nc, w.js, w.marks, w.closed = nc, js, marks, closed
	return nil
}

func (w *worker) run(ctx context.Context) error {
	for subject, f := range map[string]nats.MsgHandler{w.layout.wake(): w.wake, w.layout.drop(): w.drop} {
		if _, err := w.nc.Subscribe(subject, f); err != nil {
			return fmt.Errorf("subscribe to %s: %w", subject, err)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.closed:
			return fmt.Errorf("the connection to the queue is closed: %w", w.nc.LastError())
		}
	})
	g.Go(func() error { return w.beats(ctx) })
	err := g.Wait()
	w.goodbye(ctx)
	return err
}

// beats shows signs of life, and keeps a goroutine for each slot that the executor has.
func (w *worker) beats(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	loops := map[Slot][]context.CancelFunc{}
	defer w.adjust(ctx, &running, loops, nil)
	tick := time.NewTicker(w.config.Beat)
	defer tick.Stop()
	for {
		slots := w.slots()
		w.adjust(ctx, &running, loops, slots)
		w.beat(ctx, slots)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (w *worker) slots() []Slot {
	var all []Slot
	for _, s := range w.executor.Slots() {
		if err := s.validate(); err != nil || len(all) == maxSlots {
			w.config.Log.Warn("slot left out", keyWorker, w.config.Name, keyError, err)
			continue
		}
		s.Worker = w.config.Name
		all = append(all, s)
	}
	return all
}

// adjust starts the loops of slots that came and stops those of slots that went, after their
// task.
func (w *worker) adjust(ctx context.Context, running *sync.WaitGroup, loops map[Slot][]context.CancelFunc, slots []Slot) {
	want := map[Slot]int{}
	for _, s := range slots {
		want[s]++
		if len(loops[s]) >= want[s] {
			continue
		}
		idle, stop := context.WithCancel(ctx)
		loops[s] = append(loops[s], stop)
		running.Go(func() { w.serve(ctx, idle, s) })
	}
	for s, stops := range loops {
		for _, stop := range stops[want[s]:] {
			stop()
		}
		loops[s] = stops[:want[s]]
	}
}

// beat says that this worker lives, and hears which of its tasks nobody wants.
func (w *worker) beat(ctx context.Context, slots []Slot) {
	ctx, cancel := context.WithTimeout(ctx, w.config.Beat)
	defer cancel()
	answer, err := w.nc.RequestWithContext(ctx, w.layout.beat(w.config.Name), w.sign(slots))
	if err != nil {
		w.config.Log.Debug("the node does not answer", keyWorker, w.config.Name, keyError, err)
		return
	}
	w.drop(answer)
}

func (w *worker) sign(slots []Slot) []byte {
	m := beatMessage{Version: version, Worker: w.config.Name, Slots: []slotMessage{}}
	for _, s := range slots {
		m.Slots = append(m.Slots, slotMessage{Device: s.Device, Class: s.Class, Memory: s.Memory, CPU: s.CPU})
	}
	w.mu.Lock()
	m.Running = append([]string{}, slices.Sorted(maps.Keys(w.mu.running))...)
	w.mu.Unlock()
	m.Running = m.Running[:min(len(m.Running), maxRunning)]
	return encode(&m)
}

// goodbye tells the node that the slots are gone, if it can still be told.
func (w *worker) goodbye(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeWithin)
	defer cancel()
	if err := w.nc.Publish(w.layout.beat(w.config.Name), w.sign(nil)); err != nil {
		return
	}
	if err := w.nc.FlushWithContext(ctx); err != nil {
		w.config.Log.Debug("goodbye was not heard", keyWorker, w.config.Name, keyError, err)
	}
}

func (w *worker) wake(*nats.Msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.mu.woken)
	w.mu.woken = make(chan struct{})
}

func (w *worker) woken() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.woken
}

// drop leaves the tasks that a message of the node lists.
func (w *worker) drop(msg *nats.Msg) {
	m, err := decode[dropMessage](msg.Data, maxSmall)
	if err != nil {
		w.config.Log.Warn("message of the node", keyWorker, w.config.Name, keyError, err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range m.IDs {
		if leave := w.mu.running[id]; leave != nil {
			leave(errDropped)
		}
	}
}

// hold notes that a task runs here; false: it does already.
func (w *worker) hold(id string, leave context.CancelCauseFunc) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.running[id] != nil {
		return false
	}
	w.mu.running[id] = leave
	return true
}

func (w *worker) release(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.mu.running, id)
}
