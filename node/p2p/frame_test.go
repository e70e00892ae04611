package p2p

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"
)

func untimed() *pace { return newPace(patience{wait, 1 << 20}, func(time.Time) error { return nil }) }

func TestFramesKeepTheirBytes(t *testing.T) {
	for _, n := range []int{0, 1, chunk - 1, chunk, chunk + 1, 5*chunk + 3} {
		body := bytes.Repeat([]byte{7}, n)
		var b bytes.Buffer
		must(t, writeFrame(&b, []byte{9}, body, untimed()))
		if got := b.Next(1); got[0] != 9 {
			t.Fatal("no prefix")
		}
		size, err := readLength(&b, n)
		must(t, err)
		got, err := readBody(iotest.OneByteReader(&b), size, untimed())
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestLengthIsComparedBeforeAnythingIsAllocated(t *testing.T) {
	huge := []byte{255, 255, 255, 255}
	if _, err := readLength(bytes.NewReader(huge), 1<<20); !errors.Is(err, errLength) {
		t.Error(err)
	}
	grown := testing.AllocsPerRun(1, func() {
		// A gigabyte is allowed, but three bytes came.
		if _, err := readBody(bytes.NewReader(make([]byte, 3)), 1<<30, untimed()); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
	})
	if grown > 10 {
		t.Errorf("%v allocations", grown)
	}
}

func TestBufferIsAtMostTwiceWhatHasArrived(t *testing.T) {
	const total = 10 * chunk
	for arrived := 0; arrived < total; arrived += chunk / 2 {
		b, err := readBodyPart(make([]byte, arrived), total)
		if err == nil || cap(b) > max(chunk, 2*arrived+chunk) {
			t.Errorf("%d bytes arrived: capacity %d, %v", arrived, cap(b), err)
		}
	}
}

// readBodyPart returns the buffer as it is when the bytes end.
func readBodyPart(have []byte, n int) (b []byte, err error) {
	seen := &recorder{Reader: bytes.NewReader(have)}
	_, err = readBody(seen, n, untimed())
	return seen.last, err
}

// recorder keeps the last buffer that was read into.
type recorder struct {
	io.Reader
	last []byte
}

func (r *recorder) Read(b []byte) (int, error) {
	r.last = b
	return r.Reader.Read(b)
}

func TestDeadlineMovesWithTheBytes(t *testing.T) {
	var set []time.Time
	p := newPace(patience{time.Second, chunk}, func(at time.Time) error { set = append(set, at); return nil })
	must(t, writeFrame(io.Discard, nil, make([]byte, 3*chunk), p))
	for i := 1; i < len(set); i++ {
		if got := set[i].Sub(set[i-1]); got != time.Second {
			t.Errorf("%d: moved by %v for a chunk", i, got)
		}
	}
	broken := errors.New("broken")
	p = newPace(patience{time.Second, chunk}, func(time.Time) error { return broken })
	if err := writeFrame(io.Discard, nil, nil, p); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 3, 1, 2, 3})
	f.Add([]byte{255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := bytes.NewReader(raw)
		n, err := readLength(r, 1<<16)
		if err != nil {
			return
		}
		body, err := readBody(r, n, untimed())
		if err != nil {
			return
		}
		var b bytes.Buffer
		must(t, writeFrame(&b, nil, body, untimed()))
		if !bytes.HasPrefix(raw, b.Bytes()) {
			t.Error("another encoding")
		}
	})
}

func FuzzGreeting(f *testing.F) {
	f.Add([]byte{})
	f.Add(encodeGreeting("wes", []byte("chain 1")))
	f.Add([]byte{65, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		agent, greeting, err := decodeGreeting(raw)
		if err != nil {
			return
		}
		if agent != printable(agent) || len(greeting) > MaxGreeting {
			t.Errorf("%q, %d bytes", agent, len(greeting))
		}
		again, same, err := decodeGreeting(encodeGreeting(agent, greeting))
		if err != nil || again != agent || !bytes.Equal(same, greeting) {
			t.Errorf("%q, %v", again, err)
		}
	})
}
