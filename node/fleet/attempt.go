package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// attempt is one delivery of a task to a slot.
type attempt struct {
	*worker
	slot  Slot
	msg   jetstream.Msg
	task  *taskMessage
	n     uint // 1 for the first; 0 until it has begun
	begun time.Time
	watch *watch
}

// handle deals with a message of the tasks stream. What cannot be settled now is delivered again.
func (w *worker) handle(ctx context.Context, slot Slot, msg jetstream.Msg) {
	m, err := decode[taskMessage](msg.Data(), MaxBody+maxOverhead)
	if err != nil || msg.Subject() != w.layout.task(m.Device, m.ID) {
		w.config.Log.Warn("no task of this queue", keyWorker, w.config.Name, keyError, err)
		w.say(msg.Term())
		return
	}
	a := &attempt{worker: w, slot: slot, msg: msg, task: m, begun: time.Now()}
	attempted, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	if !w.hold(m.ID, leave) {
		return
	}
	defer w.release(m.ID)
	a.watch = newWatch(min(time.Duration(m.Stall)*time.Millisecond, maxTimer), w.config.AckWait/3, func() { w.say(msg.InProgress()) }, func() { leave(errStalled) })
	defer a.watch.stop()
	a.settle(ctx, attempted)
}

// maxTimer keeps durations from overflowing.
const maxTimer = 7 * 24 * time.Hour

// say drops an error of an acknowledgement: a message that was not acknowledged is delivered
// again.
func (w *worker) say(err error) {
	if err != nil {
		w.config.Log.Debug("acknowledge a task", keyWorker, w.config.Name, keyError, err)
	}
}

// settle begins the task if it may be begun, and answers it or gives it back.
func (a *attempt) settle(ctx, attempted context.Context) {
	switch {
	case uint64(time.Now().UnixMilli()) > a.task.Due:
		a.answer(ctx, nil, &Failure{Reason: ReasonExpired})
		return
	case a.task.Memory > a.slot.Memory:
		a.say(a.msg.NakWithDelay(a.config.Poll))
		return
	}
	mark, seq, err := readMark(ctx, a.marks, a.layout, a.task.ID)
	switch {
	case err != nil:
		a.say(a.msg.NakWithDelay(a.config.Poll))
	case mark.Done:
		a.say(a.msg.Ack())
	case mark.Attempts >= a.task.Attempts:
		a.n = mark.Attempts
		a.answer(ctx, nil, &Failure{Reason: ReasonLost, Detail: fmt.Sprintf("begun %d times", mark.Attempts)})
	case a.begin(ctx, mark.Attempts+1, seq) != nil:
		a.say(a.msg.NakWithDelay(a.config.Poll))
	default:
		a.execute(ctx, attempted)
	}
}

// begin counts the attempt, unless somebody else did meanwhile.
func (a *attempt) begin(ctx context.Context, n uint, seq uint64) error {
	m := encode(&markMessage{Version: version, Attempts: n})
	_, err := a.js.Publish(ctx, a.layout.mark(a.task.ID), m, jetstream.WithExpectLastSequencePerSubject(seq))
	a.n = n
	return err
}

type result struct {
	body []byte
	err  error
}

// execute runs the task. When its context ends the message is settled at once; the slot is free
// when Execute has returned.
func (a *attempt) execute(ctx, attempted context.Context) {
	done := make(chan result, 1)
	go func() {
		body, err := a.run(attempted)
		done <- result{body, err}
	}()
	select {
	case r := <-done:
		a.finish(ctx, attempted, r)
	case <-attempted.Done():
		a.finish(ctx, attempted, result{})
		<-done
	}
}

func (a *attempt) run(ctx context.Context) ([]byte, error) {
	p := &progress{attempt: a}
	defer p.stop()
	p.report("begun", 0, 0)
	path := ""
	if a.task.Program != "" {
		var release func()
		var err error
		path, release, err = a.cache.get(ctx, a.task.Program, a.task.Digest, a.watch.touch)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	t := a.task.task()
	t.Attempt = int(a.n)
	return a.executor.Execute(ctx, a.slot, t, path, p.report)
}

// finish gives the task back, leaves it or answers it.
func (a *attempt) finish(ctx, attempted context.Context, r result) {
	f := failure(r.err)
	switch cause := context.Cause(attempted); {
	case errors.Is(cause, errDropped):
		a.say(a.msg.Ack())
		return
	case errors.Is(cause, errStalled):
		f = &Failure{Reason: ReasonStalled, Retry: true}
	case ctx.Err() != nil && (r.err != nil || r.body == nil):
		a.say(a.msg.Nak())
		return
	}
	if f != nil && f.Retry && a.n < a.task.Attempts {
		a.config.Log.Info("task given back", keyWorker, a.config.Name, keyTask, a.task.ID, keyReason, f.Reason)
		a.say(a.msg.NakWithDelay(a.config.Poll))
		return
	}
	a.answer(ctx, r.body, f)
}

// failure is what an executor's error means.
func failure(err error) *Failure {
	var f *Failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f) && isReason(f.Reason):
		return f
	}
	return &Failure{Reason: ReasonFailed, Detail: err.Error()}
}

// answer publishes the outcome and acknowledges the message. Until the server has taken it, it
// tries again; when ctx ends before, the task is delivered again.
func (a *attempt) answer(ctx context.Context, body []byte, f *Failure) {
	if f == nil && (len(body) > MaxBody || int64(len(body)+maxOverhead) > a.nc.MaxPayload()) {
		f = &Failure{Reason: ReasonTooLarge, Detail: fmt.Sprintf("a result of %d bytes", len(body))}
	}
	m := &outcomeMessage{
		Version: version, ID: a.task.ID, Body: append([]byte{}, body...), Device: a.slot.Device,
		Took: uint64(time.Since(a.begun).Milliseconds()), Attempts: a.n,
	}
	if f != nil {
		m.Body, m.Reason, m.Detail = []byte{}, f.Reason, cut(f.Detail, MaxDetail)
	}
	retry := time.NewTicker(a.config.Poll)
	defer retry.Stop()
	for !a.publish(ctx, encode(m)) {
		a.watch.touch()
		select {
		case <-ctx.Done():
			return
		case <-retry.C:
		}
	}
	a.say(a.msg.Ack())
}

// publish says whether the outcome, or an earlier one, is with the server.
func (a *attempt) publish(ctx context.Context, m []byte) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeWithin)
	defer cancel()
	_, err := a.js.Publish(ctx, a.layout.outcome(a.task.ID), m)
	if err != nil && !isSecond(err) {
		a.config.Log.Warn("publish an outcome: again soon", keyWorker, a.config.Name, keyTask, a.task.ID, keyError, err)
		return false
	}
	return true
}
