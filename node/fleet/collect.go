package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Outcomes are handed over once a run of the node, each until Done, in no order in particular.
// The channel is never closed.
func (q *Queue) Outcomes() <-chan Outcome { return q.answers }

// Done says that an outcome need not be handed over again. It returns ErrNoTask if the task is
// not in the queue or not answered.
func (q *Queue) Done(ctx context.Context, id string) error {
	q.mu.Lock()
	e := q.mu.book.open[id]
	answered := e != nil && e.answered
	q.mu.Unlock()
	if !answered {
		return ErrNoTask
	}
	// The mark is first: an outcome that a crash leaves behind it is deleted by the next restore.
	if _, err := q.js.Publish(ctx, q.layout.mark(id), encode(&markMessage{Version: version, Done: true})); err != nil {
		return fmt.Errorf("done with %s: %w", id, err)
	}
	if err := remove(ctx, q.outcomes, e.outcome); err != nil {
		return fmt.Errorf("done with %s: %w", id, err)
	}
	q.forget(id)
	return nil
}

// remove deletes a message, which may be gone.
func remove(ctx context.Context, s jetstream.Stream, seq uint64) error {
	err := s.DeleteMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) && isGone(ctx, s, seq) {
		return nil
	}
	return err
}

func isGone(ctx context.Context, s jetstream.Stream, seq uint64) bool {
	_, err := s.GetMsg(ctx, seq)
	return errors.Is(err, jetstream.ErrMsgNotFound)
}

// deleteTask removes the task's message. Whoever still holds it may acknowledge it or not.
func (q *Queue) deleteTask(ctx context.Context, id string, e *entry) error {
	q.mu.Lock()
	seq := e.tasks
	q.mu.Unlock()
	if seq == 0 {
		raw, err := q.tasks.GetLastMsgForSubject(ctx, q.layout.task(e.device, id))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("delete task: %w", err)
		}
		seq = raw.Sequence
	}
	if err := remove(ctx, q.tasks, seq); err != nil {
		return fmt.Errorf("delete task: %w", err)
	}
	return nil
}

// restore fills the book from the streams, and deletes what is nobody's.
func (q *Queue) restore(ctx context.Context) error {
	if err := each(ctx, q.tasks, q.restoreTask); err != nil {
		return fmt.Errorf("restore tasks: %w", err)
	}
	if err := each(ctx, q.outcomes, q.restoreOutcome); err != nil {
		return fmt.Errorf("restore outcomes: %w", err)
	}
	return nil
}

// each visits the messages of a stream in order.
func each(ctx context.Context, s jetstream.Stream, visit func(context.Context, *jetstream.RawStreamMsg) error) error {
	for next := uint64(1); ; {
		raw, err := s.GetMsg(ctx, next, jetstream.WithGetMsgSubject(">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := visit(ctx, raw); err != nil {
			return err
		}
		next = raw.Sequence + 1
	}
}

func (q *Queue) restoreTask(ctx context.Context, raw *jetstream.RawStreamMsg) error {
	m, err := decode[taskMessage](raw.Data, MaxBody+maxOverhead)
	if err != nil || raw.Subject != q.layout.task(m.Device, m.ID) {
		q.metrics.ignored.WithLabelValues("task").Inc()
		return remove(ctx, q.tasks, raw.Sequence)
	}
	t := m.task()
	q.mu.Lock()
	defer q.mu.Unlock()
	if e, _, ok := q.mu.book.admit(&t, time.Now()); ok {
		e.tasks = raw.Sequence
	}
	return nil
}

// restoreOutcome admits the outcome of a task whose message is gone already. The collector reads
// it again.
func (q *Queue) restoreOutcome(ctx context.Context, raw *jetstream.RawStreamMsg) error {
	id := last(raw.Subject)
	mark, _, err := readMark(ctx, q.marks, q.layout, id)
	if err != nil {
		return err
	}
	if mark.Done {
		return remove(ctx, q.outcomes, raw.Sequence)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, known := q.mu.book.open[id]; !known {
		q.mu.book.open[id] = &entry{due: time.UnixMilli(maxDue), outcome: raw.Sequence}
	}
	return nil
}

// collect hands over the outcomes until ctx ends. While the server is away it tries again.
func (q *Queue) collect(ctx context.Context) error {
	retry := time.NewTicker(time.Second)
	defer retry.Stop()
	for {
		err := q.read(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		q.config.Log.Warn("read outcomes: again in a second", keyError, err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-retry.C:
		}
	}
}

// read follows the outcomes stream from its beginning until something fails.
func (q *Queue) read(ctx context.Context) error {
	c, err := q.js.OrderedConsumer(ctx, q.layout.outcomes(), jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy})
	if err != nil {
		return err
	}
	messages, err := c.Messages(jetstream.PullMaxMessages(2))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		if err := q.take(ctx, msg); err != nil {
			return err
		}
	}
}

// take hands over an outcome, unless it was already, or deletes it.
func (q *Queue) take(ctx context.Context, msg jetstream.Msg) error {
	meta, err := msg.Metadata()
	if err != nil {
		return err
	}
	id, seq := last(msg.Subject()), meta.Sequence.Stream
	q.mu.Lock()
	e := q.mu.book.open[id]
	before := e != nil && e.answered
	q.mu.Unlock()
	if before && e.outcome == seq {
		return nil
	}
	m, err := decode[outcomeMessage](msg.Data(), MaxBody+maxOverhead)
	if err != nil || m.ID != id || e == nil || before {
		q.metrics.ignored.WithLabelValues("outcome").Inc()
		return remove(ctx, q.outcomes, seq)
	}
	if err := q.deleteTask(ctx, id, e); err != nil {
		return err
	}
	q.mu.Lock()
	e.answered, e.outcome = true, seq
	q.mu.Unlock()
	o := Outcome{m.ID, m.Body, m.Reason, m.Detail, m.Device, time.Duration(m.Took) * time.Millisecond, int(m.Attempts)}
	q.metrics.answered(&o)
	select {
	case q.answers <- o:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
