package benchmarks

import (
	"context"
	"time"

	"github.com/weisyn/wes/benchmarks/report"
)

// pair times two ways to the same result.
type pair struct {
	metric   string
	against  string // name of the baseline
	subject  func(context.Context) error
	baseline func(context.Context) error
	shortest time.Duration // of a run: shorter calls are repeated
	repeat   int           // calls of each in one run
}

// run measures both, the baseline first in odd runs. Values are seconds of one call.
func (p *pair) run(ctx context.Context, i int) ([]report.Reading, error) {
	r := report.Reading{Metric: p.metric, Unit: report.Seconds, Against: p.against}
	turns := []func() error{
		func() (err error) { r.Value, err = repeated(ctx, p.repeat, p.subject); return err },
		func() (err error) { r.Baseline, err = repeated(ctx, p.repeat, p.baseline); return err },
	}
	for k := range turns {
		if err := turns[(k+i)%2](); err != nil {
			return nil, err
		}
	}
	return []report.Reading{r}, nil
}

// repeated is the mean time of n calls, in seconds.
func repeated(ctx context.Context, n int, call func(context.Context) error) (float64, error) {
	start := time.Now()
	for range n {
		if err := call(ctx); err != nil {
			return 0, err
		}
	}
	return time.Since(start).Seconds() / float64(n), nil
}

// warm makes both results once, and decides how many calls a run makes.
func (p *pair) warm(ctx context.Context) error {
	if err := p.baseline(ctx); err != nil {
		return err
	}
	seconds, err := repeated(ctx, 1, p.subject)
	p.repeat = repeats(seconds, p.shortest)
	return err
}

// maxRepeats bounds the calls of a run.
const maxRepeats = 10_000

// repeats is how many calls of a length a run makes, since the clock and the scheduler
// disturb a single short one.
func repeats(seconds float64, shortest time.Duration) int {
	return max(1, min(maxRepeats, int(shortest.Seconds()/max(seconds, 1e-9))))
}
