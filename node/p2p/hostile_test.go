package p2p

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
)

func TestThousandsOfStreamsOfAPeerAreBounded(t *testing.T) {
	overBoth(t, func(t *testing.T, transport int) {
		v := besieged(t, nil)
		bad := intruder(t, v, transport)
		most := 0
		for i := range 4000 {
			ctx, stop := context.WithTimeout(t.Context(), time.Second)
			s, err := bad.NewStream(ctx, v.host.ID(), echoID)
			stop()
			if err == nil {
				_, _ = s.Write([]byte{0})
			}
			most = max(most, v.streams(bad))
			if i%1000 == 0 {
				v.serves(t)
			}
			if bad.Network().Connectedness(v.host.ID()) != network.Connected {
				break // over TCP, too many streams end the connection
			}
		}
		if t.Logf("at most %d streams", most); most > peerStreams {
			t.Errorf("%d streams, at most %d", most, peerStreams)
		}
		v.serves(t)
		v.hears(t)
	})
}

// streams counts what the victim has of a peer.
func (v *victim) streams(h host.Host) int {
	n := 0
	_ = v.host.Network().ResourceManager().ViewPeer(h.ID(), func(s network.PeerScope) error {
		n = s.Stat().NumStreamsInbound
		return nil
	})
	return n
}

func TestLengthsOverTheLimitLeadToABan(t *testing.T) {
	overBoth(t, func(t *testing.T, transport int) {
		v := besieged(t, nil)
		bad := intruder(t, v, transport)
		for range 1 + int(BanPoints/pointsLength) {
			s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
			if err != nil {
				break
			}
			_, _ = s.Write([]byte{255, 255, 255, 255})
			_, _ = io.ReadAll(s) // until it is reset
		}
		v.awaitBan(t, bad)
		v.serves(t)
	})
}

func TestAnswerOverTheLimitIsHeldAgainstAPeer(t *testing.T) {
	v := besieged(t, nil)
	bad := intruder(t, v, 0)
	bad.SetStreamHandler(echoID, func(s network.Stream) {
		_, _ = s.Write([]byte{statusDone, 127, 255, 255, 255})
		_, _ = s.Write(make([]byte, 1<<20))
	})
	for range 1 + int(BanPoints/pointsLength) {
		if v.reputation.banned(time.Now(), bad.ID()) {
			break
		}
		if _, err := v.Request(t.Context(), named(bad.ID()), "echo", nil, 100); !errors.Is(err, ErrTooLarge) {
			t.Fatal(err)
		}
	}
	v.awaitBan(t, bad)
}

// impatient lets no more than half a second pass without progress.
func impatient(n *node) { n.patience = patience{500 * time.Millisecond, 1 << 20} }

func TestSlowSendersLoseTheirSlotsAndAreBanned(t *testing.T) {
	overBoth(t, func(t *testing.T, transport int) {
		v := besieged(t, impatient)
		bad := intruder(t, v, transport)
		for v.reputation.points(time.Now(), bad.ID()) < BanPoints-pointsSlow {
			s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
			if err != nil {
				break
			}
			_, _ = s.Write([]byte{0, 0, 4, 0, 1, 2, 3})
			v.serves(t)
			_, _ = io.ReadAll(s) // until it is reset
		}
		s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
		if err == nil {
			_, _ = s.Write([]byte{0, 0, 4})
		}
		v.awaitBan(t, bad)
		v.serves(t)
	})
}

func TestPeersThatNeverReadLoseTheirSlots(t *testing.T) {
	overBoth(t, func(t *testing.T, transport int) {
		v := besieged(t, impatient)
		bad := intruder(t, v, transport)
		q := bytes.Repeat([]byte("q"), 3<<20)
		for range 8 { // more than its share
			s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
			if err != nil {
				break
			}
			go func() {
				_, _ = s.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(q))), q...))
				_ = s.CloseWrite()
			}()
			v.serves(t)
		}
		eventually(t, "it is held against it", func() bool { return v.points(bad) > 0 || v.reputation.banned(time.Now(), bad.ID()) })
		v.serves(t)
	})
}

func TestStrangersAreNeitherServedNorHeard(t *testing.T) {
	v := besieged(t, func(n *node) { n.greetWithin = time.Second })
	bad, err := stranger(t, v, 0)
	must(t, err)
	flood, stop := gossiping(t, bad, 0)
	defer stop()
	s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
	must(t, err)
	must(t, writeFrame(s, nil, []byte("question"), newPace(patience{wait, 1 << 20}, s.SetDeadline)))
	_ = s.CloseWrite()
	for i := range 100 {
		_ = flood.Publish(t.Context(), []byte(fmt.Sprint("stranger", i)))
	}
	if got, _ := io.ReadAll(s); len(got) > 0 {
		t.Errorf("answered %q", got)
	}
	if n, _ := v.ear.count("stranger"); n > 0 {
		t.Errorf("heard %d messages", n)
	}
	if v.points(bad) < pointsSilent/2 {
		t.Error("silence has no points")
	}
	eventually(t, "it is disconnected", func() bool { return len(v.host.Network().ConnsToPeer(bad.ID())) == 0 })
	v.serves(t)
}

func TestWrongAndBrokenGreetingsEndInDisconnection(t *testing.T) {
	v := besieged(t, nil)
	for i, greeting := range []string{"", "chain 2", "chain 1 ", string(make([]byte, 1<<20))} {
		bad, err := stranger(t, v, i%2)
		must(t, err)
		if err := greetAs(t, bad, v, greeting); err == nil {
			t.Errorf("greeting %d was accepted", i)
		}
		eventually(t, "it is disconnected", func() bool { return len(v.host.Network().ConnsToPeer(bad.ID())) == 0 })
	}
	if n := len(v.club.mu.history); n != 1 {
		t.Errorf("%d events", n)
	}
	v.serves(t)
}

func TestIdentitiesOfOneAddressAreBounded(t *testing.T) {
	v := besieged(t, nil)
	most := v.cfg.PerAddress
	joined := 0
	for i := range 3 * most {
		bad, err := stranger(t, v, i%2)
		if err == nil && greetAs(t, bad, v, "chain 1") == nil {
			joined++
		}
		if n := len(v.host.Network().Conns()); n > most {
			t.Fatalf("%d connections of one address, at most %d", n, most)
		}
	}
	if joined != most-1 { // the honest one is of the same address
		t.Errorf("%d joined", joined)
	}
	v.serves(t)
}

func TestThirdBanOfAnAddressBansTheAddress(t *testing.T) {
	v := besieged(t, nil)
	for range groupBans {
		bad := intruder(t, v, 0)
		v.Ban(named(bad.ID()), time.Hour, "test")
	}
	if bad, err := stranger(t, v, 0); err == nil {
		if greetAs(t, bad, v, "chain 1") == nil {
			t.Error("another identity of the address joined")
		}
	}
	v.club.awaitOut(t, v.honest.Self()) // of the same address
}
