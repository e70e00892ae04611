package p2p

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
)

// MaxGossip bounds a message, in bytes.
const MaxGossip = 256 << 10

// Verdict is what becomes of a message.
type Verdict uint8

const (
	// Ignore does not pass it on, and says nothing against who sent it.
	Ignore Verdict = iota
	// Accept passes it on.
	Accept
	// Reject does not, and lowers the score of who sent it.
	Reject
)

// The bounds of validation: messages under way at once, and how long one may take. What does not
// fit is dropped, and may come again from another peer.
const (
	validations  = 256
	validateTime = 20 * time.Second
)

// openGossip starts gossipsub. Messages are not signed: what they carry is.
func (h *Host) openGossip(ctx context.Context) error {
	var err error
	h.gossip, err = pubsub.NewGossipSub(ctx, h.host,
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign), pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(func(m *pb.Message) string { id := sha256.Sum256(m.GetData()); return string(id[:]) }),
		pubsub.WithMaxMessageSize(MaxGossip+1024), pubsub.WithValidateThrottle(validations), pubsub.WithValidateQueueSize(validations),
		pubsub.WithPeerOutboundQueueSize(128), pubsub.WithFloodPublish(true),
		pubsub.WithPeerScore(h.scores()),
	)
	if err != nil {
		return fmt.Errorf("gossip: %w", err)
	}
	return nil
}

// Topic is a topic that was joined.
type Topic struct {
	topic *pubsub.Topic
	leave func() error
}

// Join validates the messages of a topic and passes on what is accepted. Validate runs in
// goroutines of its own; messages of this host itself do not come to it.
func (h *Host) Join(name string, validate func(ctx context.Context, from string, data []byte) Verdict) (*Topic, error) {
	full := h.cfg.protocol(name)
	own := h.host.ID()
	err := h.gossip.RegisterTopicValidator(full, func(ctx context.Context, from peer.ID, m *pubsub.Message) pubsub.ValidationResult {
		switch {
		case from == own:
			return pubsub.ValidationAccept
		case len(m.GetData()) > MaxGossip:
			return pubsub.ValidationReject
		}
		v := validate(ctx, from.String(), m.GetData())
		h.meters.gossip.WithLabelValues(name, verdictName(v)).Inc()
		return [...]pubsub.ValidationResult{Ignore: pubsub.ValidationIgnore, Accept: pubsub.ValidationAccept, Reject: pubsub.ValidationReject}[v]
	}, pubsub.WithValidatorConcurrency(validations), pubsub.WithValidatorTimeout(validateTime))
	if err != nil {
		return nil, fmt.Errorf("join topic %s: %w", name, err)
	}
	t, err := h.gossip.Join(full)
	if err != nil {
		return nil, fmt.Errorf("join topic %s: %w", name, err)
	}
	if err := t.SetScoreParams(topicScores()); err != nil {
		return nil, fmt.Errorf("join topic %s: %w", name, err)
	}
	stop, err := t.Relay()
	if err != nil {
		return nil, fmt.Errorf("join topic %s: %w", name, err)
	}
	return &Topic{t, func() error {
		stop()
		if err := h.gossip.UnregisterTopicValidator(full); err != nil {
			return err
		}
		return t.Close()
	}}, nil
}

// Publish sends a message to the peers of the topic.
func (t *Topic) Publish(ctx context.Context, data []byte) error {
	if len(data) > MaxGossip {
		return fmt.Errorf("publish: %d bytes, at most %d", len(data), MaxGossip)
	}
	if err := t.topic.Publish(ctx, data); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// Leave ends the topic.
func (t *Topic) Leave() error { return t.leave() }

func verdictName(v Verdict) string {
	return [...]string{Ignore: "ignored", Accept: "accepted", Reject: "rejected"}[v]
}

// Penalise lowers the score of a peer for what it did outside of gossip. Points fade: half are
// gone after pointsHalfLife.
func (h *Host) Penalise(name string, points float64) {
	id, err := peer.Decode(name)
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mu.points[id] += points
}

// pointsHalfLife is how fast penalties fade.
const pointsHalfLife = 10 * time.Minute

// fade lets penalties fade; it is called every pointsHalfLife.
func (h *Host) fade() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, p := range h.mu.points {
		if h.mu.points[id] = p / 2; p < 1 {
			delete(h.mu.points, id)
		}
	}
}

// The scores at which a peer gets no gossip, is sent nothing, and is not listened to.
const (
	noGossip  = -50
	noPublish = -100
	graylist  = -200
)

// scores follow gossipsub v1.1, section "Peer Scoring". What counts is invalid messages,
// penalties, and many peers at one address; the rate of messages does not, since it is low and
// depends on users.
func (h *Host) scores() (*pubsub.PeerScoreParams, *pubsub.PeerScoreThresholds) {
	return &pubsub.PeerScoreParams{
			AppSpecificScore: func(id peer.ID) float64 {
				h.mu.Lock()
				defer h.mu.Unlock()
				return -h.mu.points[id]
			},
			AppSpecificWeight:           1,
			IPColocationFactorWeight:    -5,
			IPColocationFactorThreshold: h.cfg.PerAddress,
			IPColocationFactorWhitelist: loopback(),
			BehaviourPenaltyWeight:      -10,
			BehaviourPenaltyThreshold:   6,
			BehaviourPenaltyDecay:       pubsub.ScoreParameterDecay(10 * time.Minute),
			DecayInterval:               time.Second,
			DecayToZero:                 0.01,
			RetainScore:                 time.Hour,
			Topics:                      map[string]*pubsub.TopicScoreParams{},
		}, &pubsub.PeerScoreThresholds{
			GossipThreshold: noGossip, PublishThreshold: noPublish, GraylistThreshold: graylist,
			AcceptPXThreshold: 10, OpportunisticGraftThreshold: 1,
		}
}

// topicScores: a peer gains a little by being first with what is valid, and loses much by what is
// not. The square of the number of invalid messages counts: the fifth leads to the graylist.
func topicScores() *pubsub.TopicScoreParams {
	return &pubsub.TopicScoreParams{
		TopicWeight:                    1,
		TimeInMeshQuantum:              time.Minute,
		TimeInMeshWeight:               0.01,
		TimeInMeshCap:                  60,
		FirstMessageDeliveriesWeight:   0.5,
		FirstMessageDeliveriesDecay:    pubsub.ScoreParameterDecay(10 * time.Minute),
		FirstMessageDeliveriesCap:      40,
		InvalidMessageDeliveriesWeight: -10,
		InvalidMessageDeliveriesDecay:  pubsub.ScoreParameterDecay(time.Hour),
	}
}
