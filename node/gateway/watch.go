package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
)

// Watch gives a job as it is, and again after every change, without outputs, until it has ended. The
// last thing may be an error instead: a *Problem; ErrUnreachable if the stream has broken off, which
// another call takes up again; or that of ctx.
func (c *Client) Watch(ctx context.Context, id string) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		resp, err := c.do(ctx, http.MethodGet, jobPath(id, "/events"), http.Header{"Accept": {mediaEvents}}, nil)
		if err != nil {
			yield(Job{}, err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		for e, err := range readEvents(resp.Body) {
			switch {
			case ctx.Err() != nil:
				yield(Job{}, ctx.Err())
				return
			case err != nil:
				yield(Job{}, err)
				return
			case e.name == eventEnd:
				return
			case e.name != eventJob:
				continue // of a later version
			}
			var j Job
			if err := json.Unmarshal(e.data, &j); err != nil {
				yield(Job{}, fmt.Errorf("%w: %v", ErrAnswer, err))
				return
			}
			if !yield(j, nil) {
				return
			}
		}
	}
}

// event is a server-sent event.
type event struct {
	name string
	data []byte
}

// maxEvent bounds an event and a line, in bytes.
const maxEvent = 1 << 20

// readEvents reads a stream of events, in the format of the HTML standard, section 9.2. It ends with
// an error: a stream of jobs has an end of its own.
func readEvents(r io.Reader) iter.Seq2[event, error] {
	return func(yield func(event, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxEvent)
		var e event
		for lines.Scan() {
			name, value, _ := bytes.Cut(lines.Bytes(), []byte(":"))
			value = bytes.TrimPrefix(value, []byte(" "))
			switch {
			case len(name) == 0 && len(value) > 0: // a comment
			case string(name) == "event":
				e.name = string(value)
			case string(name) == "data" && len(e.data)+len(value) > maxEvent:
				yield(event{}, fmt.Errorf("%w: an event exceeds %d bytes", ErrAnswer, maxEvent))
				return
			case string(name) == "data":
				e.data = append(append(e.data, value...), '\n')
			case len(lines.Bytes()) == 0 && len(e.data) > 0:
				if !yield(e, nil) {
					return
				}
				e = event{}
			}
		}
		err := lines.Err()
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		yield(event{}, fmt.Errorf("%w to the end: %v", ErrUnreachable, err))
	}
}
