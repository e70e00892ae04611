package p2p

import (
	"math"
	"net"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Scores decide whom the router keeps in its mesh and listens to (gossipsub v1.1 specification,
// "Peer Scoring"). The application's score of a peer is its points, negated, so what is held
// against it anywhere counts here too. Of the topic's parameters, invalid messages count against
// a peer and first deliveries for it. Deliveries in the mesh (P3) do not: on a quiet network all
// peers would miss their quota. More peers of one address than half of what PerAddress allows
// lower each other's scores, but for those of this machine.

const (
	// The score of a peer that has not joined: nothing that it says counts.
	scoreUnknown = -1e6

	scoreGossip   = -50.0  // below it a peer is told of no messages
	scorePublish  = -80.0  // below it a peer gets no messages of this host's own
	scoreGraylist = -200.0 // below it all that a peer says is dropped; its points ban it before
)

func (g *gossip) scoring() (*pubsub.PeerScoreParams, *pubsub.PeerScoreThresholds) {
	return &pubsub.PeerScoreParams{
			TopicScoreCap:               20,
			AppSpecificScore:            g.score,
			AppSpecificWeight:           1,
			IPColocationFactorWeight:    -1,
			IPColocationFactorThreshold: max(1, g.host.cfg.PerAddress/2),
			IPColocationFactorWhitelist: []*net.IPNet{
				{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
				{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
			},
			BehaviourPenaltyWeight:    -5,
			BehaviourPenaltyThreshold: 6,
			BehaviourPenaltyDecay:     pubsub.ScoreParameterDecay(10 * time.Minute),
			DecayInterval:             pubsub.DefaultDecayInterval,
			DecayToZero:               pubsub.DefaultDecayToZero,
			RetainScore:               30 * time.Minute,
			Topics:                    map[string]*pubsub.TopicScoreParams{}, // of topics to be joined
		}, &pubsub.PeerScoreThresholds{
			GossipThreshold:             scoreGossip,
			PublishThreshold:            scorePublish,
			GraylistThreshold:           scoreGraylist,
			AcceptPXThreshold:           math.MaxFloat32, // peers found by others' word are not dialled
			OpportunisticGraftThreshold: 2,
		}
}

func topicScoring() *pubsub.TopicScoreParams {
	return &pubsub.TopicScoreParams{
		SkipAtomicValidation:           true,
		TopicWeight:                    1,
		TimeInMeshWeight:               0.01,
		TimeInMeshQuantum:              time.Minute, // the router divides by it, whatever the weight
		TimeInMeshCap:                  60,
		FirstMessageDeliveriesWeight:   0.5,
		FirstMessageDeliveriesDecay:    pubsub.ScoreParameterDecay(2 * time.Minute),
		FirstMessageDeliveriesCap:      40,
		InvalidMessageDeliveriesWeight: -1,
		InvalidMessageDeliveriesDecay:  pubsub.ScoreParameterDecay(10 * time.Minute),
	}
}

func (g *gossip) score(p peer.ID) float64 {
	if !g.host.sessions.isOpen(p) {
		return scoreUnknown
	}
	return -g.host.reputation.points(time.Now(), p)
}
