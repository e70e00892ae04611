package worker

import "io"

// body is a stream of known length. Large reads go past the buffer of r straight into the
// reader's memory.
type body struct {
	r    io.Reader
	left uint64 // bytes not read yet
	err  error  // why r gave no more
	end  func() // called once, when left becomes 0 or err is set
}

func newBody(r io.Reader, size uint64, end func()) *body {
	b := &body{r: r, left: size, end: end}
	if size == 0 {
		end()
	}
	return b
}

func (b *body) Read(p []byte) (int, error) {
	switch {
	case b.err != nil:
		return 0, b.err
	case b.left == 0:
		return 0, io.EOF
	}
	n, err := b.r.Read(p[:min(uint64(len(p)), b.left)])
	b.left -= uint64(n)
	if b.left > 0 {
		b.err = noEOF(err)
	}
	if b.left == 0 || b.err != nil {
		b.end()
	}
	return n, b.err
}
