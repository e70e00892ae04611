package worker

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// statusMemory is the exit status of a child that found itself over its memory budget.
const statusMemory = 82

// condemn kills the process for a reason; the first reason counts.
func (c *Child) condemn(f *Failure) error {
	c.verdict.Lock()
	defer c.verdict.Unlock()
	if c.verdict.failure == nil {
		c.verdict.failure = f
	}
	c.cmd.Process.Kill()
	if c.conn != nil {
		c.conn.Close()
	}
	return c.verdict.failure
}

func (c *Child) condemned() *Failure {
	c.verdict.Lock()
	defer c.verdict.Unlock()
	return c.verdict.failure
}

// bury ends and reaps the process, leaves nothing of it, and returns why it was lost. A
// broken connection is a process that ends by itself, if it does.
func (c *Child) bury(cause error) *Failure {
	f := &Failure{Reason: ReasonProtocol, Err: cause}
	if own := c.condemned(); own != nil {
		*f = *own
	} else if !errors.Is(cause, errProtocol) && c.await(time.Second) {
		f = c.autopsy()
	}
	if c.conn != nil {
		c.conn.Close()
	}
	c.cmd.Process.Kill()
	c.all.Wait()
	f.Lost, f.Words = true, c.words.text()
	if err := os.RemoveAll(c.dir); err != nil {
		f.Err = fmt.Errorf("%w; %v", f.Err, err)
	}
	c.dead = &Failure{Reason: ReasonCrashed, Lost: true, Err: fmt.Errorf("worker was lost before: %s: %v", f.Reason, f.Err)}
	return f
}

// autopsy tells why a process ended that was not killed here.
func (c *Child) autopsy() *Failure {
	state := c.cmd.ProcessState
	f := &Failure{Reason: ReasonCrashed, Err: errors.New(state.String())}
	switch {
	case state.ExitCode() == statusMemory:
		f.Reason, f.Err = ReasonMemory, fmt.Errorf("memory budget of %d bytes exceeded", c.options.Memory)
	case c.killedForMemory(state) || outOfMemory(c.words.text()):
		f.Reason = ReasonMemory
	}
	return f
}

// killedForMemory recognises the kernel's choice of a process to kill: its counter went up,
// or the process was about to exceed its budget.
func (c *Child) killedForMemory(state *os.ProcessState) bool {
	budget := c.options.Memory
	return killed(state) && (memoryKills() > c.kills || budget > 0 && c.pulse.resident() > budget/20*19)
}

// outOfMemory recognises the last words of Go's runtime and of C++.
func outOfMemory(words string) bool {
	if strings.Contains(words, "std::bad_alloc") {
		return true
	}
	for line := range strings.Lines(words) {
		cause, fatal := strings.CutPrefix(line, "fatal error: ")
		if fatal && (strings.Contains(cause, "memory") || strings.Contains(cause, "address space limit")) &&
			!strings.Contains(cause, "invalid memory address") {
			return true
		}
	}
	return false
}
