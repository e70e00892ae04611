package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Submit puts a task into the queue; it is there when Submit returns nil. A task that is there
// already is left as it is. After an error other than ErrTask, ErrTooLarge, ErrFull, ErrDone and
// ErrNoProgram it may be there: the caller submits it again, or waits for its outcome.
func (q *Queue) Submit(ctx context.Context, t Task) error {
	if err := t.validate(); err != nil {
		return err
	}
	if int64(len(t.Body)+maxOverhead) > q.nc.MaxPayload() {
		return fmt.Errorf("%w: %d bytes, and the server takes %d", ErrTooLarge, len(t.Body), q.nc.MaxPayload())
	}
	digest, err := q.digest(ctx, t.Program)
	if err != nil {
		return err
	}
	q.mu.Lock()
	e, fresh, ok := q.mu.book.admit(&t, time.Now())
	there := ok && (e.tasks != 0 || e.answered)
	q.mu.Unlock()
	if !ok || there {
		return full(!ok)
	}
	err = q.put(ctx, &t, digest, e, fresh)
	if err != nil && settled(err) && fresh {
		q.forget(t.ID)
	}
	return err
}

func full(is bool) error {
	if is {
		return ErrFull
	}
	return nil
}

// settled says whether an error of put means that the task is not in the queue.
func settled(err error) bool {
	return errors.Is(err, ErrDone) || errors.Is(err, ErrFull) || refused(err)
}

func (q *Queue) forget(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.mu.book.open, id)
}

func (q *Queue) put(ctx context.Context, t *Task, digest []byte, e *entry, fresh bool) error {
	if fresh {
		mark, _, err := readMark(ctx, q.marks, q.layout, t.ID)
		if err != nil {
			return fmt.Errorf("submit: %w", err)
		}
		if mark.Done {
			return ErrDone
		}
	}
	if err := q.openLane(ctx, t.Device); err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	seq, err := q.publish(ctx, t, digest)
	if err != nil {
		return err
	}
	q.mu.Lock()
	e.tasks = seq
	late := e.answered
	q.mu.Unlock()
	if late {
		return q.deleteTask(ctx, t.ID, e)
	}
	if err := q.nc.Publish(q.layout.wake(), nil); err != nil {
		return fmt.Errorf("submit: wake workers: %w", err)
	}
	return nil
}

// openLane makes the consumer of a device's tasks.
func (q *Queue) openLane(ctx context.Context, device string) error {
	q.mu.Lock()
	known := device == "" || q.mu.lanes[device]
	q.mu.Unlock()
	if known {
		return nil
	}
	_, err := q.js.CreateOrUpdateConsumer(ctx, q.layout.tasks(), q.layout.consumer(&q.config, device))
	if errors.Is(err, jetstream.ErrMaximumConsumersLimit) {
		return fmt.Errorf("%w: tasks were meant for too many devices", ErrFull)
	}
	if err != nil {
		return fmt.Errorf("consumer for device %s: %w", device, err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.lanes[device] = true
	return nil
}

// publish returns the sequence number of the task's message, also if an earlier call made it.
func (q *Queue) publish(ctx context.Context, t *Task, digest []byte) (uint64, error) {
	m := nats.NewMsg(q.layout.task(t.Device, t.ID))
	m.Data = encode(&taskMessage{
		Version: version, ID: t.ID, Kind: t.Kind, Program: t.Program, Digest: digest, Body: append([]byte{}, t.Body...), Due: t.Due, Memory: t.Memory,
		Device: t.Device, Stall: uint64(q.config.Stall.Milliseconds()), Attempts: uint(q.config.Attempts),
	})
	ack, err := q.js.PublishMsg(ctx, m, jetstream.WithMsgID(t.ID))
	switch {
	case err == nil:
		return ack.Sequence, nil
	case isSecond(err):
		old, err := q.tasks.GetLastMsgForSubject(ctx, m.Subject)
		if err != nil {
			return 0, fmt.Errorf("submit: %w", err)
		}
		return old.Sequence, nil
	case isFull(err):
		return 0, ErrFull
	default:
		return 0, fmt.Errorf("submit: %w", err)
	}
}

// Cancel answers a task with ReasonCanceled unless it is answered already. Its outcome comes as
// any other does. It returns ErrNoTask for a task that is not in the queue.
func (q *Queue) Cancel(ctx context.Context, id string) error {
	return q.answer(ctx, id, ReasonCanceled)
}

// answer publishes an outcome of the node's own and tells workers to leave the task.
func (q *Queue) answer(ctx context.Context, id, reason string) error {
	q.mu.Lock()
	_, known := q.mu.book.open[id]
	q.mu.Unlock()
	if !known {
		return ErrNoTask
	}
	mark, _, err := readMark(ctx, q.marks, q.layout, id)
	if err != nil {
		return fmt.Errorf("answer %s: %w", id, err)
	}
	m := &outcomeMessage{Version: version, ID: id, Body: []byte{}, Reason: reason, Attempts: mark.Attempts}
	_, err = q.js.Publish(ctx, q.layout.outcome(id), encode(m))
	if err != nil && !isSecond(err) {
		return fmt.Errorf("answer %s: %w", id, err)
	}
	drop := encode(&dropMessage{Version: version, IDs: []string{id}})
	if err := q.nc.Publish(q.layout.drop(), drop); err != nil {
		return fmt.Errorf("answer %s: %w", id, err)
	}
	return nil
}

// readMark returns the mark of a task and its sequence number, zero if there is none. A mark that
// cannot be decoded counts as none that was written at its sequence number.
func readMark(ctx context.Context, marks jetstream.Stream, l layout, id string) (markMessage, uint64, error) {
	raw, err := marks.GetLastMsgForSubject(ctx, l.mark(id))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return markMessage{Version: version}, 0, nil
	}
	if err != nil {
		return markMessage{}, 0, fmt.Errorf("read mark: %w", err)
	}
	m, err := decode[markMessage](raw.Data, maxSmall)
	if err != nil {
		return markMessage{Version: version}, raw.Sequence, nil
	}
	return *m, raw.Sequence, nil
}
