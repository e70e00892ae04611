package fleet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// remember is how long the mark of a task outlives its last attempt.
const remember = 24 * time.Hour

// layout gives the names of a queue's streams and subjects.
//
//	NAME.task.any.ID      tasks for any worker
//	NAME.task.d-DEVICE.ID tasks for a device
//	NAME.outcome.ID       the outcome of a task, one at most
//	NAME.mark.ID          the last mark of a task
//	NAME.event.ID         progress; not kept
//	NAME.beat.WORKER      requests: signs of life; not kept
//	NAME.wake, NAME.drop  to all workers: look for tasks, leave tasks; not kept
type layout struct{ name string }

func (l layout) tasks() string    { return l.name + "-tasks" }
func (l layout) outcomes() string { return l.name + "-outcomes" }
func (l layout) marks() string    { return l.name + "-marks" }
func (l layout) programs() string { return l.name + "-programs" }

func (l layout) outcome(id string) string  { return l.name + ".outcome." + id }
func (l layout) mark(id string) string     { return l.name + ".mark." + id }
func (l layout) event(id string) string    { return l.name + ".event." + id }
func (l layout) beat(worker string) string { return l.name + ".beat." + worker }
func (l layout) wake() string              { return l.name + ".wake" }
func (l layout) drop() string              { return l.name + ".drop" }

// lane is the name of the consumer of the tasks for a device, or for any worker.
func lane(device string) string {
	if device == "" {
		return "any"
	}
	return "d-" + device
}

func (l layout) task(device, id string) string {
	return l.name + ".task." + lane(device) + "." + id
}

// last is the last token of a subject.
func last(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

// streams are the streams of a queue. Tasks and outcomes are refused when there is no room, and
// so is a second outcome; old marks make room.
func (l layout) streams(c *Config) []jetstream.StreamConfig {
	one := func(name, subjects string) jetstream.StreamConfig {
		return jetstream.StreamConfig{
			Name: name, Subjects: []string{l.name + subjects}, Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy,
			Discard: jetstream.DiscardNew, MaxMsgsPerSubject: 1, AllowDirect: true, Duplicates: 2 * time.Minute,
			MaxMsgs: int64(c.MaxTasks), MaxBytes: c.MaxBytes, MaxMsgSize: MaxBody + maxOverhead,
		}
	}
	tasks, outcomes, marks := one(l.tasks(), ".task.*.*"), one(l.outcomes(), ".outcome.*"), one(l.marks(), ".mark.*")
	tasks.DiscardNewPerSubject, outcomes.DiscardNewPerSubject = true, true
	tasks.MaxConsumers = c.Devices + 8 // any, and those that read the stream when a queue is opened
	marks.Discard, marks.MaxAge, marks.MaxMsgSize = jetstream.DiscardOld, remember, maxSmall
	marks.MaxMsgs, marks.MaxBytes = max(4*int64(c.MaxTasks), 1<<16), 64<<20
	return []jetstream.StreamConfig{tasks, outcomes, marks}
}

func (l layout) store(c *Config) jetstream.ObjectStoreConfig {
	return jetstream.ObjectStoreConfig{Bucket: l.programs(), Storage: jetstream.FileStorage, MaxBytes: c.MaxPrograms}
}

// consumer is the one of a lane. It gives up no task: attempts are counted by marks, because a
// delivery that found the worker without the memory is none.
func (l layout) consumer(c *Config, device string) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: lane(device), FilterSubject: l.task(device, "*"), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: c.AckWait, MaxDeliver: -1, MaxAckPending: c.MaxTasks,
	}
}

// create makes the streams and stores what is missing of them.
func (l layout) create(ctx context.Context, js jetstream.JetStream, c *Config) error {
	for _, s := range l.streams(c) {
		if _, err := js.CreateOrUpdateStream(ctx, s); err != nil {
			return fmt.Errorf("stream %s: %w", s.Name, err)
		}
	}
	if _, err := js.CreateOrUpdateObjectStore(ctx, l.store(c)); err != nil {
		return fmt.Errorf("store %s: %w", l.programs(), err)
	}
	if _, err := js.CreateOrUpdateConsumer(ctx, l.tasks(), l.consumer(c, "")); err != nil {
		return fmt.Errorf("consumer of %s: %w", l.tasks(), err)
	}
	return nil
}
