package dispatch

import (
	"context"
	"errors"
	"testing"

	"github.com/weisyn/wes/gpu/worker"
)

func TestAFixedPlaceTriesOnce(t *testing.T) {
	for name, c := range map[string]struct {
		result   error
		attempts int
		reason   worker.Reason
	}{
		"a result":         {nil, 1, ""},
		"a loss":           {failure(worker.ReasonCrashed, true), 1, worker.ReasonCrashed},
		"a device gone":    {failure(worker.ReasonDevice, false), 1, worker.ReasonDevice},
		"an ended context": {context.Canceled, 0, ""},
	} {
		turns, told := 0, ""
		w := (&workers{do: func(_ context.Context, _ string, j worker.Job) error {
			turns++
			told = string(j.Body[0])
			return c.result
		}}).start("GPU-0")
		o, err := Fixed{w, "GPU-0"}.Do(t.Context(), Task{Body: func(place string) [][]byte { return [][]byte{[]byte(place)} }})
		if !errors.Is(err, c.result) || turns != 1 || told != "GPU-0" || len(o.Attempts) != c.attempts {
			t.Errorf("%s: %+v, %v after %d turns at %q", name, o, err, turns, told)
		}
		if c.attempts == 1 && o.Attempts[0].Reason != c.reason {
			t.Errorf("%s: reason %q", name, o.Attempts[0].Reason)
		}
	}
}

func TestTheRequestMayDependOnThePlace(t *testing.T) {
	var told []string
	w := &workers{do: func(_ context.Context, place string, j worker.Job) error {
		told = append(told, string(j.Body[0]))
		if place != CPU {
			return failure(worker.ReasonMemory, true)
		}
		return nil
	}}
	d := New(Options{Slots: slots(1), Reports: &reports{}, Start: w.start})
	defer d.Close()
	_, err := d.Do(t.Context(), Task{Body: func(place string) [][]byte { return [][]byte{[]byte("for " + place)} }})
	if err != nil || len(told) != 2 || told[0] != "for GPU-0" || told[1] != "for cpu" {
		t.Errorf("%q, %v", told, err)
	}
}
