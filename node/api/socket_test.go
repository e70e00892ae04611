package api

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/weisyn/wes/chain"
)

// dial opens a WebSocket.
func dial(t *testing.T, s *Server) *websocket.Conn {
	t.Helper()
	c, resp, err := websocket.Dial(t.Context(), strings.Replace(s.URL(), "http", "ws", 1)+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Params json.RawMessage `json:"params"`
	Error  *Error          `json:"error"`
}

func send(t *testing.T, c *websocket.Conn, id int, method string, params any) {
	t.Helper()
	if err := wsjson.Write(t.Context(), c, map[string]any{"jsonrpc": "2.0", "id": id, "method": "wes_" + method, "params": params}); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c *websocket.Conn) (m message) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if err := wsjson.Read(ctx, c, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSubscribersHearOfBlocksTransactionsAndAddresses(t *testing.T) {
	f := newFake(t)
	s := serve(t, f, nil)
	c := dial(t, s)
	for i, p := range []SubscribeParams{{To: "blocks"}, {To: "transactions"}, {To: "address", Address: chain.FormatAddress("twes", chain.LockHash(bob.Lock()))}} {
		send(t, c, i+1, "subscribe", p)
		if m := receive(t, c); m.Error != nil {
			t.Fatal(m.Error)
		}
	}
	client := NewClient(s.URL(), "")
	tx := f.payment()
	if _, err := client.Submit(t.Context(), tx.Tx, tx.Witness); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Make(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	got := map[uint64][]Notification{}
	for range 4 {
		m := receive(t, c)
		var n Notification
		if err := json.Unmarshal(m.Params, &n); err != nil || m.Method != "wes_notice" {
			t.Fatalf("%+v, %v", m, err)
		}
		got[n.Subscription] = append(got[n.Subscription], n)
	}
	id := tx.ID().String()
	if len(got[1]) != 1 || got[1][0].Applied[0].Height != 1 || len(got[2]) != 1 || got[2][0].Transaction != id ||
		len(got[3]) != 2 || got[3][0].Transaction != id || got[3][1].Height != 1 {
		t.Errorf("%+v", got)
	}
	send(t, c, 9, "unsubscribe", UnsubscribeParams{2})
	if m := receive(t, c); m.Error != nil {
		t.Error(m.Error)
	}
	send(t, c, 10, "unsubscribe", UnsubscribeParams{2})
	if m := receive(t, c); m.Error == nil || m.Error.Code != CodeNotFound {
		t.Errorf("%+v", m)
	}
}

func TestSubscriptionsOfAConnectionAreBounded(t *testing.T) {
	s := serve(t, newFake(t), nil)
	c := dial(t, s)
	for i := range maxSubscriptions + 1 {
		send(t, c, i+1, "subscribe", SubscribeParams{To: "blocks"})
		if m := receive(t, c); (m.Error == nil) != (i < maxSubscriptions) {
			t.Errorf("subscription %d: %+v", i, m)
		}
	}
}

func TestSlowSubscriberIsCutOff(t *testing.T) {
	f := newFake(t)
	c := dial(t, serve(t, f, nil))
	send(t, c, 1, "subscribe", SubscribeParams{To: "blocks"})
	receive(t, c)
	f.mu.Lock()
	slow := f.heard[0]
	f.mu.Unlock()
	f.end(slow) // what a node does to whom is too slow
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Error(err)
	}
}

func TestForeignPagesOpenNoSocket(t *testing.T) {
	s := serve(t, newFake(t), nil)
	_, resp, err := websocket.Dial(t.Context(), strings.Replace(s.URL(), "http", "ws", 1)+"/ws",
		&websocket.DialOptions{HTTPHeader: map[string][]string{"Origin": {"http://evil.example"}}})
	if err == nil || resp == nil || resp.StatusCode != 403 {
		t.Errorf("%v, %v", resp, err)
	}
}

func TestBatchBombsAndNotificationsEndTheSocket(t *testing.T) {
	s := serve(t, newFake(t), func(c *Config) { c.MaxBatch = 3 })
	for name, message := range map[string]string{
		"batch":         "[" + strings.Repeat(statusCall+",", 3) + statusCall + "]",
		"notifications": `{"jsonrpc":"2.0","method":"wes_status","params":{}}`,
	} {
		c := dial(t, s)
		if err := c.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("%s: %v", name, err)
		}
		stop()
	}
	c := dial(t, s)
	for i := range 3 * socketMessages {
		send(t, c, i+1, "status", NoParams{})
	}
	for range 3 * socketMessages {
		if m := receive(t, c); m.Error != nil {
			t.Error(m.Error)
		}
	}
}
