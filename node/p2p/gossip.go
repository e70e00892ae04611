package p2p

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"golang.org/x/time/rate"
)

// MaxMessage is in bytes. What is larger is announced, and asked for by Request.
const MaxMessage = 256 << 10

const (
	// messageOverhead is what envelope and topic may add to a message, in bytes.
	messageOverhead = 1 << 10
	// leastCost is how many bytes a message counts at least.
	leastCost = 512
	// gossipWorkers validate, and gossipQueue messages wait for one: 144 MiB if all are of full
	// size. A message that finds the queue full is dropped without being remembered, so that it
	// can come again.
	gossipWorkers, gossipQueue = 64, 512
	// gossipShare is how many workers may be at one peer's messages. While they are, more of its
	// messages are dropped, without being remembered either.
	gossipShare = gossipWorkers / 4
	// validateWithin bounds the validation of a message.
	validateWithin = 15 * time.Second
	// seenFor is how long a message is remembered. A mesh has passed it on within seconds.
	seenFor = time.Minute
)

// Verdict is what becomes of a message.
type Verdict uint8

// The zero verdict is none: it counts as Ignore.
const (
	// Accept passes a message on.
	Accept Verdict = iota + 1
	// Ignore does not, and says nothing against who sent it.
	Ignore
	// Reject says that who sent it did not check it.
	Reject
)

func (v Verdict) String() string {
	switch v {
	case Accept:
		return "accepted"
	case Reject:
		return "rejected"
	}
	return "ignored"
}

// Validate decides on a message, before it is passed on. A message comes once. The bytes are the
// validator's.
type Validate func(ctx context.Context, from Peer, data []byte) Verdict

// Topic is where messages of one kind are gossiped.
type Topic struct {
	host  *Host
	name  string
	topic *pubsub.Topic
}

// Messages are not signed: the bytes say all that counts, a signature would cost as much as a
// transaction's own, and it would tell everybody where a transaction came from. An id is made of
// topic and data, so that data gossiped on a wrong topic does not keep it off the right one.

func messageID(m *pb.Message) string {
	h := sha256.New()
	h.Write([]byte(m.GetTopic()))
	h.Write([]byte{0})
	h.Write(m.GetData())
	return string(h.Sum(nil))
}

// gossip holds what the router asks about peers.
type gossip struct {
	host *Host
	mu   struct {
		sync.Mutex
		topics map[string]bool
	}
}

// gossiper is what a peer may gossip.
type gossiper struct {
	rate    *rate.Limiter
	running atomic.Int32 // workers at its messages
}

func newGossiper(bytesPerSecond int) *gossiper {
	return &gossiper{rate: rate.NewLimiter(rate.Limit(bytesPerSecond), 4*bytesPerSecond)}
}

// newGossip starts the router, which ends with the context.
func newGossip(ctx context.Context, h *Host) (*gossip, *pubsub.PubSub, error) {
	g := &gossip{host: h}
	g.mu.topics = map[string]bool{}
	id := protocol.ID(h.prefix + "/meshsub/1.1.0")
	router, err := pubsub.NewGossipSub(ctx, h.host,
		pubsub.WithGossipSubProtocols([]protocol.ID{id}, func(f pubsub.GossipSubFeature, _ protocol.ID) bool {
			return f == pubsub.GossipSubFeatureMesh
		}),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithMaxMessageSize(MaxMessage+messageOverhead),
		pubsub.WithValidateWorkers(gossipWorkers),
		pubsub.WithValidateQueueSize(gossipQueue),
		pubsub.WithSeenMessagesTTL(seenFor),
		pubsub.WithFloodPublish(true),
		pubsub.WithPeerScore(g.scoring()),
		pubsub.WithPeerGater(pubsub.DefaultPeerGaterParams()),
		pubsub.WithSubscriptionFilter(g),
		pubsub.WithAppSpecificRpcInspector(g.inspect),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("gossip: %w", err)
	}
	return g, router, nil
}

// Join takes part in a topic. It is called before Start.
func (h *Host) Join(name string, validate Validate) (*Topic, error) {
	full := h.prefix + "/" + name
	h.gossip.allow(full)
	check := func(_ context.Context, from peer.ID, m *pubsub.Message) pubsub.ValidationResult {
		return h.gossip.validate(name, from, m.GetData(), validate)
	}
	if err := h.router.RegisterTopicValidator(full, check, pubsub.WithValidatorInline(true)); err != nil {
		return nil, fmt.Errorf("join %s: %w", name, err)
	}
	topic, err := h.router.Join(full)
	if err != nil {
		return nil, fmt.Errorf("join %s: %w", name, err)
	}
	if err := topic.SetScoreParams(topicScoring()); err != nil {
		return nil, fmt.Errorf("join %s: %w", name, err)
	}
	// The validator sees every message: relaying is all that a subscription would add.
	if _, err := topic.Relay(); err != nil {
		return nil, fmt.Errorf("join %s: %w", name, err)
	}
	return &Topic{h, name, topic}, nil
}

// Publish sends a message, of at most MaxMessage bytes, to all peers that this host is connected
// to and that take part in the topic. It returns when the message is queued. A message that was
// seen lately is not sent again. The bytes must not be changed any more.
func (t *Topic) Publish(ctx context.Context, data []byte) error {
	if len(data) > MaxMessage {
		return fmt.Errorf("publish %s: %w: %d bytes, at most %d", t.name, ErrMessage, len(data), MaxMessage)
	}
	if err := t.topic.Publish(ctx, data); err != nil {
		return fmt.Errorf("publish %s: %w", t.name, err)
	}
	return nil
}

// validate has a message judged, and its sender punished.
func (g *gossip) validate(topic string, from peer.ID, data []byte, judge Validate) pubsub.ValidationResult {
	if from == g.host.host.ID() {
		return pubsub.ValidationAccept
	}
	verdict := g.verdict(from, data, judge)
	g.host.metrics.messages.WithLabelValues(topic, verdict.String()).Inc()
	switch verdict {
	case Accept:
		return pubsub.ValidationAccept
	case Reject:
		g.host.punish(from, pointsInvalid, "invalid message")
		return pubsub.ValidationReject
	}
	return pubsub.ValidationIgnore
}

func (g *gossip) verdict(from peer.ID, data []byte, judge Validate) Verdict {
	s := g.host.sessions.of(from)
	ctx, end, ok := g.host.life.begin()
	if !ok {
		return Ignore
	}
	defer end()
	switch {
	case s == nil || !s.isOpen():
		return Ignore
	case len(data) > MaxMessage:
		return Reject
	}
	s.gossip.running.Add(1)
	defer s.gossip.running.Add(-1)
	within, stop := context.WithTimeout(ctx, validateWithin)
	defer stop()
	verdict := judge(within, named(from), data)
	if within.Err() != nil && ctx.Err() == nil {
		g.host.punish(from, pointsStalled, "message that takes too long")
	}
	return verdict
}

// inspect cuts off the messages that a peer has no share or rate left for, before the router
// remembers them. It runs on the router's one goroutine.
func (g *gossip) inspect(from peer.ID, m *pubsub.RPC) error {
	if len(m.Publish) == 0 {
		return nil
	}
	kept := 0
	if s := g.host.sessions.of(from); s != nil && s.isOpen() {
		kept = s.gossip.allowed(m.Publish)
	}
	if cut := len(m.Publish) - kept; cut > 0 {
		g.host.metrics.cut.Add(float64(cut))
		m.Publish = m.Publish[:kept]
	}
	return nil
}

// allowed says how many of the messages a peer may send now.
func (x *gossiper) allowed(messages []*pb.Message) int {
	if x.running.Load() >= gossipShare {
		return 0
	}
	for i, m := range messages {
		if !x.rate.AllowN(time.Now(), max(leastCost, len(m.GetData()))) {
			return i
		}
	}
	return len(messages)
}

func (g *gossip) allow(topic string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.topics[topic] = true
}

var _ pubsub.SubscriptionFilter = (*gossip)(nil)

// CanSubscribe allows the topics that were joined.
func (g *gossip) CanSubscribe(topic string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mu.topics[topic]
}

// FilterIncomingSubscriptions drops those to other topics: peers cannot make this host remember
// names.
func (g *gossip) FilterIncomingSubscriptions(_ peer.ID, all []*pb.RPC_SubOpts) ([]*pb.RPC_SubOpts, error) {
	return pubsub.FilterSubscriptions(all, g.CanSubscribe), nil
}
