package p2p

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
)

// ear hears messages, and judges by the first byte: x is rejected, i ignored.
type ear struct {
	mu struct {
		sync.Mutex
		heard map[string]int
	}
}

func (e *ear) validate(_ context.Context, _ Peer, data []byte) Verdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mu.heard == nil {
		e.mu.heard = map[string]int{}
	}
	e.mu.heard[string(data)]++
	switch data[0] {
	case 'x':
		return Reject
	case 'i':
		return Ignore
	}
	return Accept
}

// count is how many messages were heard that begin with a prefix, and how often the one most
// heard was.
func (e *ear) count(prefix string) (n, most int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for m, times := range e.mu.heard {
		if bytes.HasPrefix([]byte(m), []byte(prefix)) {
			n, most = n+1, max(most, times)
		}
	}
	return n, most
}

func TestMessagesArePassedOnOnlyIfAccepted(t *testing.T) {
	var nodes []*node
	var ears []*ear
	var topics []*Topic
	for _, name := range []string{"a", "b", "c"} {
		n, e := open(t, name, nil), &ear{}
		topic, err := n.Join("news", e.validate)
		must(t, err)
		nodes, ears, topics = append(nodes, n.start(t)), append(ears, e), append(topics, topic)
	}
	join(t, nodes[0], nodes[1])
	join(t, nodes[1], nodes[2])
	i := byte(0)
	eventually(t, "news at the end of the row", func() bool {
		i++
		must(t, topics[0].Publish(t.Context(), []byte{'i', i}))
		must(t, topics[0].Publish(t.Context(), []byte{'n', i}))
		n, _ := ears[2].count("n")
		return n > 0
	})
	eventually(t, "the other news too", func() bool { n, _ := ears[2].count("n"); return n > 0 })
	if n, _ := ears[2].count("i"); n > 0 {
		t.Error("what was ignored was passed on")
	}
	if n, _ := ears[1].count("i"); n == 0 {
		t.Error("the neighbour heard nothing of what it was to judge")
	}
	if n, _ := ears[0].count(""); n > 0 {
		t.Error("own messages came back")
	}
	for _, e := range ears[1:] {
		if _, most := e.count(""); most > 1 {
			t.Errorf("a message came %d times", most)
		}
	}
	if err := topics[0].Publish(t.Context(), make([]byte, MaxMessage+1)); !errors.Is(err, ErrMessage) {
		t.Error(err)
	}
	if nodes[0].reputation.points(time.Now(), nodes[1].host.ID()) > 0 {
		t.Error("an honest peer has points")
	}
}

func TestLargestMessageArrives(t *testing.T) {
	a, b, e := open(t, "a", nil), open(t, "b", nil), &ear{}
	topic, err := a.Join("news", e.validate)
	must(t, err)
	_, err = b.Join("news", e.validate)
	must(t, err)
	join(t, a.start(t), b.start(t))
	i := byte(0)
	eventually(t, "it arrives", func() bool {
		i++
		must(t, topic.Publish(t.Context(), bytes.Repeat([]byte{'n', i}, MaxMessage/2)))
		n, _ := e.count("n")
		return n > 0
	})
}

func TestSameDataOfTwoTopicsAreTwoMessages(t *testing.T) {
	one, two := "one", "two"
	a, b := messageID(&pb.Message{Topic: &one, Data: []byte("x")}), messageID(&pb.Message{Topic: &two, Data: []byte("x")})
	if a == b || a != messageID(&pb.Message{Topic: &one, Data: []byte("x"), Seqno: []byte("7")}) {
		t.Error("the id is not that of topic and data")
	}
}

func TestGossipOfAPeerIsCutAtItsRateAndShare(t *testing.T) {
	messages := func(n, size int) []*pb.Message {
		var all []*pb.Message
		for range n {
			all = append(all, &pb.Message{Data: make([]byte, size)})
		}
		return all
	}
	for _, c := range []struct {
		perSecond, running, n, size, want int
	}{
		{MaxMessage, 0, 3, 1, 3},
		{MaxMessage, 0, gossipShare + 3, 1, gossipShare + 3},
		{MaxMessage, gossipShare - 1, 3, 1, 3},
		{MaxMessage, gossipShare, 3, 1, 0},
		{MaxMessage, 0, 6, MaxMessage, 4}, // the burst is of four seconds
		{leastCost, 0, 6, 0, 4},
	} {
		x := newGossiper(c.perSecond)
		x.running.Store(int32(c.running))
		if got := x.allowed(messages(c.n, c.size)); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
