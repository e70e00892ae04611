package p2p

import (
	"context"
	"fmt"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// gossiping makes a stranger gossip on the victim's topic, messages of any size.
func gossiping(t *testing.T, h host.Host, size int) (*pubsub.Topic, func()) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	router, err := pubsub.NewGossipSub(ctx, h,
		pubsub.WithGossipSubProtocols([]protocol.ID{"/wes/test/meshsub/1.1.0"}, func(f pubsub.GossipSubFeature, _ protocol.ID) bool {
			return f == pubsub.GossipSubFeatureMesh
		}),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign), pubsub.WithNoAuthor(), pubsub.WithFloodPublish(true),
		pubsub.WithMaxMessageSize(max(size, 1<<20)), pubsub.WithPeerOutboundQueueSize(1024),
		pubsub.WithMessageIdFn(func(m *pb.Message) string { return string(m.GetData()) }))
	must(t, err)
	topic, err := router.Join("/wes/test/news")
	must(t, err)
	return topic, stop
}

func TestFloodOfInvalidMessagesEndsInABan(t *testing.T) {
	overBoth(t, func(t *testing.T, transport int) {
		v := besieged(t, nil)
		bad := intruder(t, v, transport)
		flood, stop := gossiping(t, bad, 0)
		defer stop()
		i := 0
		eventually(t, "a ban", func() bool {
			for range 100 {
				i++
				_ = flood.Publish(t.Context(), append([]byte(fmt.Sprint("x", i, "-")), make([]byte, 10_000)...))
			}
			return v.reputation.banned(time.Now(), bad.ID())
		})
		n, _ := v.ear.count("x")
		if t.Logf("%d of %d validated", n, i); n > int(BanPoints/pointsInvalid)+gossipShare+gossipQueue {
			t.Errorf("%d were validated", n)
		}
		v.hears(t)
		v.serves(t)
	})
}

func TestFloodOfIgnoredMessagesIsCutAndOthersAreHeard(t *testing.T) {
	v := besieged(t, nil)
	bad := intruder(t, v, 0)
	flood, stop := gossiping(t, bad, 0)
	defer stop()
	i := 0
	eventually(t, "the flood arrives", func() bool {
		i++
		_ = flood.Publish(t.Context(), []byte(fmt.Sprint("i", i)))
		n, _ := v.ear.count("i")
		return n > 0
	})
	for range 3000 {
		i++
		_ = flood.Publish(t.Context(), append([]byte(fmt.Sprint("i", i, "-")), make([]byte, 20_000)...))
	}
	v.hears(t)
	v.serves(t)
	n, _ := v.ear.count("i")
	t.Logf("%d of %d validated", n, i)
	if v.points(bad) > 0 {
		t.Error("what is ignored is held against a peer")
	}
}

func TestMessagesOverTheLimitAreNotTaken(t *testing.T) {
	v := besieged(t, nil)
	bad := intruder(t, v, 0)
	flood, stop := gossiping(t, bad, 16<<20)
	defer stop()
	eventually(t, "the flood arrives", func() bool {
		_ = flood.Publish(t.Context(), []byte("i"+time.Now().String()))
		n, _ := v.ear.count("i")
		return n > 0
	})
	for i := range 10 {
		_ = flood.Publish(t.Context(), append([]byte(fmt.Sprint("n too large", i)), make([]byte, 2<<20)...))
		_ = flood.Publish(t.Context(), append([]byte(fmt.Sprint("n too large", i)), make([]byte, MaxMessage)...))
	}
	v.hears(t)
	v.serves(t)
	if n, _ := v.ear.count("n too large"); n > 0 {
		t.Errorf("%d were validated", n)
	}
}
