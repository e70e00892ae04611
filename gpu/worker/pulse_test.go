package worker

import (
	"testing"
	"time"
)

// ticks calls tick n times and returns the first failure and the tick that had it, from 1.
func ticks(p *pulse, n int) (*Failure, int) {
	for i := range n {
		if f := p.tick(); f != nil {
			return f, i + 1
		}
	}
	return nil, n
}

func TestPulseRules(t *testing.T) {
	const period = time.Second
	work := beat{processor: period / 10}
	for _, test := range []struct {
		name   string
		before func(p *pulse, i int) // called before tick i, from 0
		reason Reason                // "": the job goes on
		at     int
	}{
		{"silence", func(*pulse, int) {}, ReasonHung, silence + 1},
		{"beats without work", func(p *pulse, _ int) { p.bytes(); p.beat(beat{}); p.wait(true) }, ReasonHung, 31},
		{"little work", func(p *pulse, i int) {
			p.bytes()
			p.beat(beat{processor: time.Duration(i) * period / 100})
			p.wait(true)
		}, ReasonHung, 31},
		{"work", func(p *pulse, i int) {
			p.bytes()
			p.beat(beat{processor: time.Duration(i) * work.processor})
			p.wait(true)
		}, "", 0},
		{"progress", func(p *pulse, _ int) { p.bytes(); p.progress(); p.wait(true) }, "", 0},
		{"reply", func(p *pulse, _ int) { p.replies(); p.bytes(); p.wait(true) }, "", 0},
		{"work past the limit", func(p *pulse, i int) {
			p.bytes()
			p.beat(beat{processor: time.Duration(i) * 30 * period})
			p.wait(true)
		}, ReasonDeadline, 5},
		{"the parent is busy itself", func(p *pulse, _ int) { p.wait(false) }, "", 0},
	} {
		p := &pulse{period: period, cpu: 100 * period}
		p.begin(30 * period)
		p.wait(true)
		var f *Failure
		at := 0
		for i := 0; i < 500 && f == nil; i++ {
			test.before(p, i)
			f, _ = ticks(p, 1)
			at = i + 1
		}
		switch {
		case f == nil && test.reason != "":
			t.Errorf("%s: goes on, want %s", test.name, test.reason)
		case f != nil && (f.Reason != test.reason || at != test.at):
			t.Errorf("%s: %v at tick %d, want %q at %d", test.name, f, at, test.reason, test.at)
		}
	}
}

// TestPulseIsForgottenBetweenJobs guards that a job is not blamed for the one before.
func TestPulseIsForgottenBetweenJobs(t *testing.T) {
	p := &pulse{period: time.Second, cpu: time.Minute}
	p.begin(30 * time.Second)
	p.wait(true)
	p.beat(beat{processor: time.Hour})
	if f, _ := ticks(p, 1); f == nil {
		t.Fatal("an hour of a minute")
	}
	p.begin(30 * time.Second)
	if f, at := ticks(p, 100); f != nil {
		t.Errorf("%v at tick %d of a job that the child has not been asked for", f, at)
	}
	p.wait(true)
	if f, at := ticks(p, silence); f != nil {
		t.Errorf("%v at tick %d", f, at)
	}
}
