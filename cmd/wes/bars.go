package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"
	"github.com/weisyn/wes/prover"
)

// patience is how long work may take before its progress is drawn.
const patience = time.Second

// bars draws a bar for the stage that some work is in, or a spinner while the stage does not
// say how far it is. A nil bars draws nothing.
type bars struct {
	out   io.Writer
	timer *time.Timer
	mu    struct {
		sync.Mutex
		stage       string
		done, total int64
		container   *mpb.Progress // nil until patience is over
		bar         *mpb.Bar
		finished    bool
	}
}

// newBars returns nil unless out is a terminal.
func newBars(out io.Writer) *bars {
	f, ok := out.(*os.File)
	if !ok || !cwriter.IsTerminal(int(f.Fd())) {
		return nil
	}
	b := &bars{out: out}
	b.timer = time.AfterFunc(patience, b.show)
	return b
}

// progress is what the pipeline reports to, nil when nothing is drawn.
func (b *bars) progress() prover.Progress {
	if b == nil {
		return nil
	}
	return func(s prover.Stage, done, total int) { b.update(string(s), int64(done), int64(total)) }
}

func (b *bars) update(stage string, done, total int64) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if stage != b.mu.stage || total != b.mu.total {
		b.erase()
	}
	b.mu.stage, b.mu.done, b.mu.total = stage, done, total
	b.draw()
}

func (b *bars) show() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.mu.finished {
		b.mu.container = mpb.New(mpb.WithOutput(b.out), mpb.WithWidth(64))
		b.draw()
	}
}

// draw brings the bar up to date; b.mu is held.
func (b *bars) draw() {
	m := &b.mu
	if m.container == nil || m.stage == "" || m.finished {
		return
	}
	if m.bar == nil {
		if m.done >= m.total {
			return
		}
		style := mpb.BarFillerBuilder(mpb.BarStyle())
		if m.total == 1 {
			style = mpb.SpinnerStyle().PositionLeft()
		}
		m.bar = m.container.New(m.total, style, mpb.BarRemoveOnComplete(), mpb.PrependDecorators(
			decor.Name(m.stage, decor.WC{W: 9, C: decor.DindentRight}), decor.Elapsed(decor.ET_STYLE_MMSS, decor.WC{W: 6, C: decor.DindentRight})))
	}
	m.bar.SetCurrent(m.done)
}

// erase ends the bar; b.mu is held.
func (b *bars) erase() {
	if b.mu.bar != nil {
		b.mu.bar.Abort(true)
		b.mu.bar = nil
	}
}

// finish leaves the terminal to others.
func (b *bars) finish() {
	if b == nil {
		return
	}
	b.timer.Stop()
	b.mu.Lock()
	b.mu.finished = true
	b.erase()
	container := b.mu.container
	b.mu.Unlock()
	if container != nil {
		container.Shutdown()
	}
}
