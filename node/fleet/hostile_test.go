package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// stranger is a connection of somebody who has the token.
func stranger(t *testing.T, n *node) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	nc, js, err := connect("nats://"+n.Address(), "stranger", slog.New(slog.DiscardHandler), []nats.Option{nats.Token(token)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc, js
}

func TestHostileMessagesAreIgnored(t *testing.T) {
	r := prometheus.NewRegistry()
	n := run(t, Config{Listen: "127.0.0.1:0", Token: token, Registry: r})
	nc, js := stranger(t, n)
	n.submit(job("x", "echo"))
	garbage := [][]byte{nil, []byte("\xff\xff\xff\xff"), {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, make([]byte, 64<<10)}
	for i, b := range garbage {
		nc.Publish(n.layout.beat("a"), b)
		nc.Publish(n.layout.event("x"), b)
		for _, id := range []string{"x", fmt.Sprint("unknown-", i)} {
			if _, err := js.Publish(t.Context(), n.layout.outcome(id), b); err != nil && !isSecond(err) {
				t.Fatal(err)
			}
		}
	}
	other := encode(&outcomeMessage{Version: version, ID: "z", Body: []byte{}})
	for err := error(nil); ; {
		// Until what was there before is ignored and gone.
		if _, err = js.Publish(t.Context(), n.layout.outcome("x"), other); err == nil {
			break
		} else if !isSecond(err) {
			t.Fatal(err)
		}
	}
	n.worker("a", &trial{slots: cpu(1)})
	n.want("x", "")
	n.submit(job("y", "echo"))
	n.want("y", "")
	if got := ignored(n, "outcome"); got < 5 {
		t.Errorf("%v outcomes ignored, want 5 at least", got)
	}
	if b, e := ignored(n, "beat"), ignored(n, "event"); b != 4 || e != 4 {
		t.Errorf("%v beats and %v events ignored, want 4 of each", b, e)
	}
}

func ignored(n *node, what string) float64 {
	return testutil.ToFloat64(n.metrics.ignored.WithLabelValues(what))
}

func TestSecondOutcomeOfATaskIsIgnored(t *testing.T) {
	n := run(t, Config{Listen: "127.0.0.1:0", Token: token})
	_, js := stranger(t, n)
	result := func(s string) []byte {
		return encode(&outcomeMessage{Version: version, ID: "x", Body: []byte(s), Attempts: 1})
	}
	n.submit(job("x", "hang"))
	if _, err := js.Publish(t.Context(), n.layout.outcome("x"), result("first")); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), n.layout.outcome("x"), result("second")); !isSecond(err) {
		t.Errorf("second outcome: %v", err)
	}
	if o := n.want("x", ""); string(o.Body) != "first" {
		t.Errorf("outcome %q", o.Body)
	}
	// Done made room for one more; it is of no task.
	if _, err := js.Publish(t.Context(), n.layout.outcome("x"), result("third")); err != nil {
		t.Fatal(err)
	}
	n.worker("a", &trial{slots: cpu(1)})
	n.submit(job("y", "echo"))
	n.want("y", "")
	if got := ignored(n, "outcome"); got != 1 {
		t.Errorf("%v outcomes ignored, want 1", got)
	}
}

func TestWorkersMayTakeAndAnswerOnly(t *testing.T) {
	n := run(t, Config{Listen: "127.0.0.1:0", Token: token})
	nc, js := stranger(t, n)
	n.submit(job("x", "hang"))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for _, subject := range []string{
		n.layout.task("", "y"), n.layout.wake(), n.layout.drop(),
		"$JS.API.STREAM.DELETE." + n.layout.tasks(), "$JS.API.STREAM.PURGE." + n.layout.outcomes(),
		"$JS.API.STREAM.CREATE.more", "$JS.API.STREAM.MSG.DELETE." + n.layout.tasks(), "$JS.API.STREAM.MSG.GET." + n.layout.tasks(),
		"$JS.API.CONSUMER.CREATE." + n.layout.tasks(), "$JS.API.CONSUMER.DELETE." + n.layout.tasks() + ".any",
		"$O." + n.layout.programs() + ".M.x",
	} {
		if msg, err := nc.RequestWithContext(ctx, subject, []byte("{}")); err == nil {
			t.Errorf("%s: answered %s", subject, msg.Data)
		}
	}
	if _, err := js.Publish(ctx, n.layout.task("", "y"), []byte("x")); err == nil {
		t.Error("published a task")
	}
	for _, subject := range []string{">", n.layout.outcome("*"), n.layout.task("", "*")} {
		sub, err := nc.SubscribeSync(subject)
		if err == nil {
			_, err = sub.NextMsg(50 * time.Millisecond)
		}
		if err == nil {
			t.Errorf("subscribed to %s", subject)
		}
	}
	info, err := n.tasks.Info(t.Context())
	if err != nil || info.State.Msgs != 1 {
		t.Errorf("%d tasks, %v", info.State.Msgs, err)
	}
}

func TestTasksThatAreNoneAreDropped(t *testing.T) {
	dir := t.TempDir()
	n := run(t, Config{Dir: dir})
	good := encode(&taskMessage{Version: version, ID: "x", Kind: KindInfer, Digest: []byte{}, Body: []byte("echo"), Due: later(), Stall: 1000, Attempts: 3})
	for subject, b := range map[string][]byte{n.layout.task("", "a"): []byte("garbage"), n.layout.task("", "b"): good, n.layout.task("d", "c"): good} {
		if _, err := n.js.Publish(t.Context(), subject, b); err != nil {
			t.Fatal(err)
		}
	}
	stop := n.worker("w", &trial{slots: cpu(1)})
	n.submit(job("y", "echo"))
	n.want("y", "")
	stop()
	n.stop()
	n = run(t, Config{Dir: dir})
	info, err := n.tasks.Info(t.Context())
	if err != nil || info.State.Msgs != 0 {
		t.Errorf("%d tasks after a restart, %v", info.State.Msgs, err)
	}
}

func TestMetricsFollowTheQueue(t *testing.T) {
	r := prometheus.NewRegistry()
	n := run(t, Config{Registry: r})
	want := func(name, values string) {
		t.Helper()
		if err := testutil.GatherAndCompare(r, strings.NewReader(values), name); err != nil {
			t.Error(err)
		}
	}
	task := job("w", "again 2")
	task.Device = "away"
	n.submit(task)
	want("wes_fleet_tasks", "# HELP wes_fleet_tasks Tasks that wait or run.\n# TYPE wes_fleet_tasks gauge\nwes_fleet_tasks 1\n")
	_, changed := n.Slots()
	n.worker("a", &trial{slots: append(cpu(1), Slot{Device: "away"})})
	<-changed
	want("wes_fleet_slots", "# HELP wes_fleet_slots Slots of the workers that show signs of life.\n# TYPE wes_fleet_slots gauge\nwes_fleet_slots 2\n")
	want("wes_fleet_workers", "# HELP wes_fleet_workers Workers that show signs of life.\n# TYPE wes_fleet_workers gauge\nwes_fleet_workers 1\n")
	<-n.Outcomes()
	want("wes_fleet_outcomes", "# HELP wes_fleet_outcomes Outcomes that were not done with.\n# TYPE wes_fleet_outcomes gauge\nwes_fleet_outcomes 1\n")
	want("wes_fleet_redeliveries_total", "# HELP wes_fleet_redeliveries_total Attempts after the first, of tasks that were answered.\n"+
		"# TYPE wes_fleet_redeliveries_total counter\nwes_fleet_redeliveries_total 1\n")
	want("wes_fleet_outcomes_total", "# HELP wes_fleet_outcomes_total Tasks that were answered, by reason; ok: with a result.\n"+
		"# TYPE wes_fleet_outcomes_total counter\nwes_fleet_outcomes_total{reason=\"ok\"} 1\n")
}

func TestReasonsCountedApartAreBounded(t *testing.T) {
	m, err := newMetrics(nil, func() sizes { return sizes{} })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 * maxReasons {
		m.answered(&Outcome{Reason: fmt.Sprint("r", i)})
	}
	if n := testutil.CollectAndCount(m.outcomes); n > maxReasons+1 {
		t.Errorf("%d reasons", n)
	}
}

func TestSettingsOutOfBoundsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"nowhere":  func(c *Config) { c.Dir = "" },
		"both":     func(c *Config) { c.URL = "nats://127.0.0.1:1" },
		"name":     func(c *Config) { c.Name = "a.b" },
		"key":      func(c *Config) { c.TLSCert = "x" },
		"CA":       func(c *Config) { c.Listen, c.TLSCA = "127.0.0.1:0", "x" },
		"attempts": func(c *Config) { c.Attempts = 101 },
		"wait":     func(c *Config) { c.AckWait = 1 },
		"beat":     func(c *Config) { c.Beat = -1 },
		"tasks":    func(c *Config) { c.MaxTasks = -1 },
		"bytes":    func(c *Config) { c.MaxBytes = 1 },
		"missing TLS": func(c *Config) {
			c.Listen, c.TLSCert, c.TLSKey = "127.0.0.1:0", "missing", "missing"
		},
	} {
		c := Config{Dir: t.TempDir()}
		change(&c)
		if _, err := Open(t.Context(), c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]WorkerConfig{
		"no name":  {URL: "nats://x", Dir: "d"},
		"no dir":   {URL: "nats://x", Name: "a"},
		"no queue": {Name: "a", Dir: "d"},
		"key":      {URL: "nats://x", Name: "a", Dir: "d", TLSKey: "x"},
		"URL":      {URL: "nats://\x00", Name: "a", Dir: "d"},
		"poll":     {URL: "nats://x", Name: "a", Dir: "d", Poll: -1},
	} {
		if err := Work(t.Context(), c, &trial{}); !errors.Is(err, ErrConfig) {
			t.Errorf("worker, %s: %v", name, err)
		}
	}
}
