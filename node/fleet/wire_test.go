package fleet

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// format is one kind of message.
type format struct {
	name   string
	sample any
	encode func(any) []byte
	decode func([]byte, int) (any, error)
}

func formatOf[T any, P message[T]](name string, sample P) format {
	return format{
		name, sample, func(m any) []byte { return encode(m.(P)) },
		func(b []byte, limit int) (any, error) {
			m, err := decode[T, P](b, limit)
			if err != nil {
				return nil, err
			}
			return m, nil
		},
	}
}

func formats() []format {
	return []format{
		formatOf("task", &taskMessage{
			Version: 1, ID: "x-1", Kind: KindInfer, Program: "bafy", Digest: bytes.Repeat([]byte{9}, 32), Body: []byte("body"),
			Due: 1 << 40, Memory: 1 << 33, Device: "GPU-1", Stall: 1000, Attempts: 3,
		}),
		formatOf("outcome", &outcomeMessage{Version: 1, ID: "x-1", Body: []byte{}, Reason: "failed", Detail: "why", Device: "GPU-1", Took: 5, Attempts: 2}),
		formatOf("mark", &markMessage{Version: 1, Attempts: 2, Done: true}),
		formatOf("event", &eventMessage{Version: 1, Stage: "commit", Done: 1, Total: 1 << 20}),
		formatOf("beat", &beatMessage{Version: 1, Worker: "a", Slots: []slotMessage{{Device: "GPU-1", Class: "h100", Memory: 1 << 36}}, Running: []string{"x"}}),
		formatOf("drop", &dropMessage{Version: 1, IDs: []string{"x", "y"}}),
	}
}

func TestDecodeInvertsEncode(t *testing.T) {
	for _, f := range formats() {
		got, err := f.decode(f.encode(f.sample), maxSmall)
		if err != nil || !reflect.DeepEqual(got, f.sample) {
			t.Errorf("%s: %+v, %v", f.name, got, err)
		}
	}
}

// TestNoOtherBytesDecodeToTheSame damages messages: what still decodes must be the encoding of
// what it decodes to.
func TestNoOtherBytesDecodeToTheSame(t *testing.T) {
	for _, f := range formats() {
		whole := f.encode(f.sample)
		for i := range whole {
			for flip := 1; flip < 256; flip++ {
				damaged := bytes.Clone(whole)
				damaged[i] ^= byte(flip)
				canonical(t, f, damaged)
			}
			if _, err := f.decode(whole[:i], maxSmall); !errors.Is(err, ErrWire) {
				t.Fatalf("%s decodes without the bytes from %d on: %v", f.name, i, err)
			}
		}
		if _, err := f.decode(append(whole, 0), maxSmall); !errors.Is(err, ErrWire) {
			t.Fatalf("%s decodes with a byte too many: %v", f.name, err)
		}
	}
}

func canonical(t *testing.T, f format, b []byte) {
	t.Helper()
	m, err := f.decode(b, maxSmall)
	switch {
	case err != nil && !errors.Is(err, ErrWire):
		t.Fatalf("%s %x: %v", f.name, b, err)
	case err == nil && !bytes.Equal(f.encode(m), b):
		t.Fatalf("%s: two encodings, %x and %x", f.name, b, f.encode(m))
	}
}

func TestMessagesOutOfBoundsAreRefused(t *testing.T) {
	long := strings.Repeat("a", 65)
	many := make([]string, maxRunning+1)
	for i := range many {
		many[i] = "x"
	}
	task := func(change func(*taskMessage)) []byte {
		m := *formats()[0].sample.(*taskMessage)
		change(&m)
		return encode(&m)
	}
	outcome := func(change func(*outcomeMessage)) []byte {
		m := *formats()[1].sample.(*outcomeMessage)
		change(&m)
		return encode(&m)
	}
	for name, c := range map[string]struct {
		format int
		bytes  []byte
	}{
		"version":          {0, task(func(m *taskMessage) { m.Version = 2 })},
		"ID":               {0, task(func(m *taskMessage) { m.ID = "x.>" })},
		"digest":           {0, task(func(m *taskMessage) { m.Digest = m.Digest[1:] })},
		"no digest":        {0, task(func(m *taskMessage) { m.Digest = []byte{} })},
		"digest alone":     {0, task(func(m *taskMessage) { m.Program = "" })},
		"no stall":         {0, task(func(m *taskMessage) { m.Stall = 0 })},
		"stall":            {0, task(func(m *taskMessage) { m.Stall = 1 << 63 })},
		"no attempts":      {0, task(func(m *taskMessage) { m.Attempts = 0 })},
		"null body":        {0, bytes.Replace(task(func(m *taskMessage) { m.Body = []byte("body!") }), []byte("\x45body!"), []byte{0xf6}, 1)},
		"reason":           {1, outcome(func(m *outcomeMessage) { m.Reason = "No!" })},
		"detail":           {1, outcome(func(m *outcomeMessage) { m.Detail = strings.Repeat("a", MaxDetail+1) })},
		"result and fault": {1, outcome(func(m *outcomeMessage) { m.Body = []byte("x") })},
		"took":             {1, outcome(func(m *outcomeMessage) { m.Took = 1 << 63 })},
		"attempts":         {1, outcome(func(m *outcomeMessage) { m.Attempts = 101 })},
		"stage":            {3, encode(&eventMessage{Version: 1, Stage: long})},
		"running":          {4, encode(&beatMessage{Version: 1, Worker: "a", Slots: []slotMessage{}, Running: many})},
		"slots":            {4, encode(&beatMessage{Version: 1, Worker: "a", Slots: make([]slotMessage, maxSlots+1), Running: []string{}})},
		"slot":             {4, encode(&beatMessage{Version: 1, Worker: "a", Slots: []slotMessage{{Device: "a b"}}, Running: []string{}})},
		"worker":           {4, encode(&beatMessage{Version: 1, Worker: long, Slots: []slotMessage{}, Running: []string{}})},
		"drop":             {5, encode(&dropMessage{Version: 1, IDs: many})},
	} {
		if _, err := formats()[c.format].decode(c.bytes, MaxBody+maxOverhead); !errors.Is(err, ErrWire) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := decode[markMessage](make([]byte, maxSmall+1), maxSmall); !errors.Is(err, ErrWire) {
		t.Errorf("length: %v", err)
	}
}

func TestLargestMessagesFitTheirBounds(t *testing.T) {
	d := strings.Repeat("d", maxDevice)
	if n := len(encode(&taskMessage{
		Version: 1, ID: strings.Repeat("a", maxID), Kind: KindInfer, Program: strings.Repeat("p", maxProgram), Digest: make([]byte, 32),
		Body: make([]byte, MaxBody), Due: 1<<64 - 1, Memory: 1<<64 - 1, Device: d, Stall: maxStall, Attempts: maxAttempts,
	})); n > MaxBody+maxOverhead {
		t.Errorf("task of %d bytes", n)
	}
	if n := len(encode(&outcomeMessage{
		Version: 1, ID: strings.Repeat("a", maxID), Body: make([]byte, MaxBody), Detail: strings.Repeat("x", MaxDetail), Device: d, Took: maxTook, Attempts: maxAttempts,
	})); n > MaxBody+maxOverhead {
		t.Errorf("outcome of %d bytes", n)
	}
	b := &beatMessage{Version: 1, Worker: strings.Repeat("a", maxID)}
	for range maxSlots {
		b.Slots = append(b.Slots, slotMessage{Device: d, Class: strings.Repeat("c", maxClass), Memory: 1<<64 - 1, CPU: true})
	}
	for range maxRunning {
		b.Running = append(b.Running, strings.Repeat("a", maxID))
	}
	if n := len(encode(b)); n > maxSmall {
		t.Errorf("beat of %d bytes", n)
	}
}

func TestCutKeepsWholeCharacters(t *testing.T) {
	for _, c := range []struct{ in, want string }{{"abc", "abc"}, {"abcdef", "abcd"}, {"abcä", "abc"}, {"a\xffb", "a?b"}, {"", ""}} {
		if got := cut(c.in, 4); got != c.want {
			t.Errorf("cut %q: %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for i, x := range formats() {
		f.Add(byte(i), x.encode(x.sample))
	}
	f.Fuzz(func(t *testing.T, i byte, b []byte) {
		canonical(t, formats()[int(i)%len(formats())], b)
	})
}
