package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// lanes are the consumers from which one slot takes tasks.
type lanes struct {
	js      jetstream.JetStream
	stream  string
	devices []string                      // in order of preference; empty: any worker
	found   map[string]jetstream.Consumer // by device
}

// lookFor is how long a lane is looked through that should be empty.
const lookFor = 20 * time.Millisecond

// next takes a task off the first lane that has one; nil: none has. Unless it is thorough it believes the
// server's count of what waits in a lane. That may be zero although a task waits: it was seen with server
// 2.14, after a task that no worker had was deleted as the next one came.
func (l *lanes) next(ctx context.Context, thorough bool) (jetstream.Msg, error) {
	for _, device := range l.devices {
		msg, err := l.fetch(ctx, device, thorough)
		if msg != nil || err != nil {
			return msg, err
		}
	}
	return nil, nil
}

func (l *lanes) fetch(ctx context.Context, device string, thorough bool) (jetstream.Msg, error) {
	c := l.found[device]
	if c == nil {
		var err error
		c, err = l.js.Consumer(ctx, l.stream, lane(device))
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		l.found[device] = c
	}
	var batch jetstream.MessageBatch
	var err error
	if thorough {
		batch, err = c.Fetch(1, jetstream.FetchMaxWait(lookFor))
	} else {
		batch, err = c.FetchNoWait(1)
	}
	if err != nil {
		return nil, err
	}
	msg := <-batch.Messages()
	if err := batch.Error(); err != nil && msg == nil {
		delete(l.found, device)
		if errors.Is(err, nats.ErrNoResponders) {
			return nil, nil
		}
		return nil, err
	}
	return msg, nil
}

// serve does tasks in a slot, one after the other, until idle ends; a task that runs then ends
// with ctx.
func (w *worker) serve(ctx, idle context.Context, slot Slot) {
	l := &lanes{w.js, w.layout.tasks(), []string{slot.Device, ""}, map[string]jetstream.Consumer{}}
	poll := time.NewTicker(w.config.Poll)
	defer poll.Stop()
	thorough := true
	for idle.Err() == nil {
		woken := w.woken()
		msg, err := l.next(idle, thorough)
		if msg != nil {
			w.handle(ctx, slot, msg)
			continue
		}
		if err != nil && idle.Err() == nil {
			w.config.Log.Debug("look for tasks: again soon", keyWorker, w.config.Name, keyError, err)
		}
		select {
		case <-idle.Done():
		case <-woken:
			thorough = false
		case <-poll.C:
			thorough = true
		}
	}
}
