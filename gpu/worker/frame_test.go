package worker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// frame is the encoding of a frame.
func frame(kind byte, payload ...byte) []byte {
	return append(appendHead(nil, kind, uint64(len(payload))), payload...)
}

// FuzzConverse feeds a parent arbitrary frames: they end in an error or a reply, and in no
// more memory than there are bytes.
func FuzzConverse(f *testing.F) {
	done := frame(frameDone, 1, 2, 3)
	f.Add(done)
	f.Add(append(frame(frameBeat, encodeBeat(beat{time.Second, 1 << 20})...), done...))
	f.Add(append(frame(frameProgress, encodeProgress("stage", 1, 2)...), done[:10]...))
	f.Add(frame(frameFailed, encodeFailure(Fail(ReasonInput, errors.New("text")))...))
	f.Add(frame(frameFailed, 64))
	f.Add(appendHead(nil, frameDone, 1<<63))
	f.Add([]byte{frameReady})
	f.Fuzz(func(t *testing.T, stream []byte) {
		c := &Child{in: bufio.NewReader(bytes.NewReader(stream)), pulse: &pulse{period: time.Second}}
		j, err := Job{Method: "any", Receive: func(r io.Reader, size uint64) error {
			n, err := io.Copy(io.Discard, r)
			if err == nil && uint64(n) != size {
				return fmt.Errorf("reply of %d bytes, announced %d", n, size)
			}
			return err
		}}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.converse(j); errors.Is(err, io.EOF) && len(stream) > 0 && !wholeFrames(stream) {
			t.Errorf("a frame that was cut ends in %v", err)
		}
	})
}

// wholeFrames says whether a stream ends between two frames.
func wholeFrames(stream []byte) bool {
	r := bufio.NewReader(bytes.NewReader(stream))
	for {
		_, length, err := readHead(r)
		if err != nil {
			return err == io.EOF
		}
		if n, _ := io.CopyN(io.Discard, r, int64(min(length, uint64(len(stream))))); uint64(n) != length {
			return false
		}
	}
}

// FuzzRequest feeds a child the payloads of hello and request.
func FuzzRequest(f *testing.F) {
	f.Add(encodeLimits(limits{Beat: 1}))
	f.Add([]byte("\x04echobody"))
	f.Add([]byte{})
	f.Add([]byte{255, 1})
	f.Fuzz(func(t *testing.T, payload []byte) {
		if l, err := readLimits(bytes.NewReader(payload), uint64(len(payload))); err == nil && (l.Beat <= 0 || l.Memory < 0) {
			t.Errorf("accepted %+v", l)
		}
		r := bytes.NewReader(payload)
		name, size, err := readMethod(r, uint64(len(payload)))
		if err == nil && (uint64(r.Len()) != size || len(name) > 255) {
			t.Errorf("name %q, %d bytes left, body of %d", name, r.Len(), size)
		}
	})
}

// TestFailuresCrossTheSocket guards that reason and text arrive, cut to their bounds.
func TestFailuresCrossTheSocket(t *testing.T) {
	long := strings.Repeat("x", 2*maxText)
	for _, test := range []struct {
		err    error
		reason Reason
		text   string
	}{
		{errors.New("plain"), ReasonFailed, "plain"},
		{errors.New(""), ReasonFailed, ""},
		{Fail(ReasonDevice, errors.New("gone")), ReasonDevice, "gone"},
		{fmt.Errorf("prove: %w", Fail(ReasonInput, errors.New("short"))), ReasonInput, "prove: bad_input: short"},
		{errors.New("\x1b[2Jred\xff\n\tline"), ReasonFailed, "[2Jred?\n\tline"},
		{errors.New(long), ReasonFailed, long[:maxText]},
	} {
		p := encodeFailure(test.err)
		f, err := readFailure(bytes.NewReader(p), uint64(len(p)))
		if err != nil || f.Reason != test.reason || f.Err.Error() != test.text {
			t.Errorf("%v: got %v, %v", test.err, f, err)
		}
	}
}

func TestFailDemandsAReason(t *testing.T) {
	for _, reason := range []Reason{"", "With Space", Reason(strings.Repeat("a", 65))} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q accepted", reason)
				}
			}()
			_ = Fail(reason, errors.New("x"))
		}()
	}
}

func TestTailKeepsTheLastBytes(t *testing.T) {
	w := &tail{}
	for range 100 {
		fmt.Fprintln(w, strings.Repeat("a", 100))
	}
	fmt.Fprintln(w, "end")
	if s := w.text(); len(s) > maxTail || !strings.HasSuffix(s, "end") {
		t.Errorf("kept %d bytes", len(s))
	}
}

// TestTailKeepsWhatBeginsADeath guards that the line that names a crash is not pushed out by
// the listing behind it, however it is cut into writes.
func TestTailKeepsWhatBeginsADeath(t *testing.T) {
	text := strings.Repeat("log line\n", 600) + "what(): std::bad_alloc\nSIGABRT: abort\n" + strings.Repeat("goroutine 1 [running]\n", 300)
	for _, size := range []int{7, 100, maxTail - 1, maxTail, len(text)} {
		w := &tail{}
		for i := 0; i < len(text); i += size {
			fmt.Fprint(w, text[i:min(len(text), i+size)])
		}
		s := w.text()
		if len(s) > maxTail || !strings.Contains(s, "bad_alloc") || !strings.Contains(s, "\nSIGABRT: abort\ngoroutine 1") {
			t.Errorf("writes of %d bytes: kept %d bytes, %.40q", size, len(s), s)
		}
	}
}
