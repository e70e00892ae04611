package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/nats-io/nats.go/jetstream"
)

// store is the object store of a queue. Its objects are read chunk by chunk and not by the
// client's own reader, which cannot be interrupted while it waits.
type store struct {
	js     jetstream.JetStream
	bucket string
}

var _ source = (*store)(nil)

func (s *store) open(ctx context.Context, name string) (io.ReadCloser, uint64, error) {
	programs, err := s.js.ObjectStore(ctx, s.bucket)
	if err != nil {
		return nil, 0, err
	}
	info, err := programs.GetInfo(ctx, name)
	switch {
	case errors.Is(err, jetstream.ErrObjectNotFound):
		return nil, 0, &Failure{Reason: ReasonProgram, Detail: "the program is gone"}
	case err != nil:
		return nil, 0, err
	case !isProgram(info.NUID):
		return nil, 0, &Failure{Reason: ReasonProgram, Detail: "the program's entry has no chunks"}
	}
	// The names are those of NATS's object store (ADR-20).
	c, err := s.js.OrderedConsumer(ctx, "OBJ_"+s.bucket, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{"$O." + s.bucket + ".C." + info.NUID},
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read program: %w", err)
	}
	messages, err := c.Messages(jetstream.PullMaxMessages(16))
	if err != nil {
		return nil, 0, fmt.Errorf("read program: %w", err)
	}
	next := func() ([]byte, error) {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, err
		}
		return msg.Data(), nil
	}
	return &object{next, messages.Stop, info.Size, nil}, info.Size, nil
}

// object reads a program. It ends when it has read as many bytes as the program has.
type object struct {
	next func() ([]byte, error) // the next chunk
	stop func()
	left uint64 // bytes in chunks to come
	rest []byte // of the last chunk
}

func (o *object) Read(p []byte) (int, error) {
	for len(o.rest) == 0 {
		if o.left == 0 {
			return 0, io.EOF
		}
		chunk, err := o.next()
		if err != nil {
			return 0, err
		}
		o.rest = chunk[:min(uint64(len(chunk)), o.left)]
		o.left -= uint64(len(o.rest))
	}
	n := copy(p, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}

func (o *object) Close() error {
	o.stop()
	return nil
}
