package worker

import (
	"context"
	"io"
)

// Method does jobs of one kind in the child. ctx ends when the parent cancels the job, once
// its body has been read; a method that does not return then is killed with its process.
// Methods run one after the other on one goroutine, which those that need their OS thread
// may lock to it. A panic ends the process, and the parent sees its text.
type Method func(ctx context.Context, r *Request) (reply [][]byte, err error)

// Request is what a method is given.
type Request struct {
	Body io.Reader // of Size bytes; what a method leaves is discarded
	Size uint64
	// Progress tells the parent how far the job is, and that it goes on. It may be called as
	// often as is handy, by any goroutine, while the method runs; the parent hears of every
	// stage and of its end, and between them of at most 20 calls a second. The stage has at
	// most 64 bytes.
	Progress func(stage string, done, total int)
}
