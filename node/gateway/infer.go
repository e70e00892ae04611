package gateway

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// infer serves an inference request.
func (g *Gateway) infer(w *writer, r *http.Request) error {
	if err := checkKind(r, mediaJSON, mediaBinary, "application/x-www-form-urlencoded"); err != nil {
		return err
	}
	body, h, p := g.body(w, r)
	if p != nil {
		return p
	}
	defer h.release()
	leave, p := g.slot(laneInference) // before anybody pays for the job
	if p != nil {
		return p
	}
	defer leave()
	x, j, err := g.start(r, body)
	if err != nil {
		return err
	}
	h.release()
	w.Header().Set(headerJob, j.ID)
	ctx, end := g.within(r.Context(), g.patience(x))
	defer end()
	if j, err = g.outputs(ctx, x, j); err != nil {
		return err
	}
	a, p := newAnswer(x, r.PathValue("model"), j)
	if p != nil {
		return p
	}
	return a.send(w, r)
}

// start reads the request and submits the job.
func (g *Gateway) start(r *http.Request, body []byte) (x *inference, j *Job, err error) {
	j, err = call(g, r, func(ctx context.Context) (*Job, error) {
		m, err := g.model(ctx, r)
		if err != nil {
			return nil, err
		}
		if m.Kind == KindProve {
			return nil, malformed("%q is a circuit: submit it as a job at /v1/jobs", short(m.Name))
		}
		var p *Problem
		if x, p = decodeInference(body, r.Header.Get(headerLength), &m, g.cfg.MaxBody); p != nil {
			return nil, p
		}
		return g.market.Submit(ctx, &x.request)
	})
	return x, j, err
}

// checkKind refuses bodies of other media types. What command line clients send when nobody told them
// otherwise may be among those taken.
func checkKind(r *http.Request, kinds ...string) error {
	header := r.Header.Get("Content-Type")
	if header == "" {
		return nil
	}
	kind, _, err := mime.ParseMediaType(header)
	for _, k := range kinds {
		if err == nil && k == kind {
			return nil
		}
	}
	return problem(http.StatusUnsupportedMediaType, ReasonUnsupported, "content type %q is none of %s", short(header), strings.Join(kinds, ", "))
}

// patience is how long outputs are waited for.
func (g *Gateway) patience(x *inference) time.Duration {
	if ms := x.request.DeadlineMS; ms > 0 {
		return min(g.cfg.Wait, time.Duration(ms)*time.Millisecond)
	}
	return g.cfg.Wait
}

// outputs waits until the outputs of a job are known.
func (g *Gateway) outputs(ctx context.Context, x *inference, j *Job) (*Job, error) {
	if j.Outputs != nil {
		return j, nil
	}
	changes, err := g.market.Watch(ctx, j.ID)
	if err != nil {
		return nil, g.late(ctx, err, x, j.ID)
	}
	for latest := range changes {
		if latest.Outputs != nil {
			return &latest, nil
		}
		if latest.Ended || latest.Assignment == "closed" && latest.Execution == "failed" {
			return nil, failed(&latest)
		}
	}
	if ctx.Err() != nil {
		return nil, g.late(ctx, ctx.Err(), x, j.ID)
	}
	last, err := g.market.Job(ctx, j.ID)
	switch {
	case err != nil:
		return nil, g.late(ctx, err, x, j.ID)
	case last.Outputs == nil:
		return nil, failed(last)
	}
	return last, nil
}

// late says why an error came, if it came because a wait ended.
func (g *Gateway) late(ctx context.Context, err error, x *inference, job string) error {
	var closing *Problem
	cause := context.Cause(ctx)
	switch {
	case ctx.Err() == nil:
		return err
	case errors.As(cause, &closing):
		closing.Job = job
		return closing
	case !errors.Is(cause, errTime):
		return err // the client is gone
	}
	p := problem(http.StatusGatewayTimeout, ReasonTimeout, "the outputs did not come within %v; the job goes on", g.cfg.Wait)
	if ms := x.request.DeadlineMS; ms > 0 && g.patience(x) < g.cfg.Wait {
		p = problem(http.StatusGatewayTimeout, ReasonDeadline, "the outputs did not come within deadline_ms, %d", ms)
	}
	p.Job = job
	return p
}

// send sends an answer.
func (a *answer) send(w *writer, r *http.Request) error {
	head, all, p := a.measure()
	if p != nil {
		return p
	}
	kind := mediaJSON
	if a.anyBinary() {
		kind = mediaBinary
		w.Header().Set(headerLength, strconv.FormatInt(head, 10))
	}
	return w.send(r, http.StatusOK, kind, all, func(out io.Writer) error { return a.write(out) })
}
