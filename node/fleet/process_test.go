package fleet

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

const token = "correct horse battery"

// process starts this test program with arguments. It is killed when the test ends.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Stderr = os.Stderr
	t.Cleanup(func() {
		if c.ProcessState == nil && c.Process != nil {
			c.Process.Kill()
			c.Wait()
		}
	})
	return c
}

// remoteWorker starts a worker in a process of its own.
func remoteWorker(t *testing.T, n *node, name string) *exec.Cmd {
	t.Helper()
	c := process(t, "worker", "nats://"+n.Address(), token, name, t.TempDir())
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// holder tells the worker whose sign of life says that it runs a task.
func (n *node) holder(id string) <-chan string {
	found := make(chan string, 1)
	sub, err := n.nc.Subscribe(n.layout.beat("*"), func(msg *nats.Msg) {
		m, err := decode[beatMessage](msg.Data, maxSmall)
		if err == nil && slices.Contains(m.Running, id) {
			select {
			case found <- m.Worker:
			default:
			}
		}
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { sub.Unsubscribe() })
	return found
}

func (n *node) waitForSlots(count int) {
	for slots, changed := n.Slots(); len(slots) != count; slots, changed = n.Slots() {
		<-changed
	}
}

func TestTaskOfAKilledWorkerIsDoneOnceByAnother(t *testing.T) {
	n := run(t, Config{Listen: "127.0.0.1:0", Token: token})
	workers := map[string]*exec.Cmd{"a": remoteWorker(t, n, "a"), "b": remoteWorker(t, n, "b")}
	n.waitForSlots(2)
	holder := n.holder("x")
	n.submit(job("x", "who"))
	for e := range n.Events() {
		if e.Stage == "waiting" {
			break
		}
	}
	victim := <-holder
	if err := workers[victim].Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if o := n.want("x", ""); string(o.Body) == victim || o.Attempts != 2 {
		t.Errorf("done by %s, which was killed, or in %d attempts, want 2", o.Body, o.Attempts)
	}
	n.waitForSlots(1)
	n.submit(job("y", "echo"))
	n.want("y", "")
}

func TestTaskWhoseWorkersAllDieIsLost(t *testing.T) {
	n := run(t, Config{Listen: "127.0.0.1:0", Token: token, Attempts: 2})
	n.submit(job("x", "hang"))
	for _, name := range []string{"a", "b"} {
		w := remoteWorker(t, n, name)
		for e := range n.Events() {
			if e.Stage == "begun" {
				break
			}
		}
		w.Process.Kill()
		w.Wait()
	}
	remoteWorker(t, n, "c")
	if o := n.want("x", ReasonLost); o.Attempts != 2 {
		t.Errorf("%d attempts, want 2", o.Attempts)
	}
}

func TestWorkerSurvivesTheNode(t *testing.T) {
	dir := t.TempDir()
	n := run(t, Config{Dir: dir, Listen: "127.0.0.1:0", Token: token})
	address := n.Address()
	remoteWorker(t, n, "a")
	n.submit(job("x", "echo"))
	n.want("x", "")
	n.stop()
	n = run(t, Config{Dir: dir, Listen: address, Token: token})
	n.submit(job("y", "echo"))
	n.want("y", "")
}

func TestQueueOutlivesAKilledNode(t *testing.T) {
	dir := t.TempDir()
	c := process(t, "node", dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	c.Process.Kill()
	c.Wait()

	n := run(t, Config{Dir: dir})
	got := map[string]Outcome{}
	for range 2 {
		o := n.outcome()
		got[o.ID] = o
	}
	if got["first"].Reason != "" || got["second"].Reason != "" || len(got) != 2 {
		t.Errorf("outcomes of before: %v", got)
	}
	n.worker("nowhere", &trial{slots: []Slot{{Device: "nowhere"}}})
	n.want("third", "")
}

func TestOutcomesAreHandedOverUntilDone(t *testing.T) {
	dir := t.TempDir()
	n := run(t, Config{Dir: dir})
	n.worker("a", &trial{slots: cpu(1)})()
	stop := n.worker("a", &trial{slots: cpu(1)})
	n.submit(job("x", "echo"), job("y", "echo"))
	first, second := <-n.Outcomes(), <-n.Outcomes()
	if err := n.Done(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	stop()
	n.stop()
	n = run(t, Config{Dir: dir})
	n.want(second.ID, "")
	if err := n.Done(t.Context(), second.ID); err == nil {
		t.Error("done twice")
	}
	n.stop()
	n = run(t, Config{Dir: dir})
	n.worker("a", &trial{slots: cpu(1)})
	n.submit(job("z", "echo"))
	n.want("z", "")
}

func TestWorkerWithoutTheTokenIsRefused(t *testing.T) {
	n := run(t, Config{Listen: "127.0.0.1:0", Token: token})
	for _, wrong := range []string{"", "another token than that"} {
		err := Work(t.Context(), WorkerConfig{URL: "nats://" + n.Address(), Token: wrong, Name: "a", Dir: t.TempDir()}, &trial{})
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), "authorization") {
			t.Errorf("token %q: %v", wrong, err)
		}
	}
}

func TestListeningOnlyByRequestAndWithAToken(t *testing.T) {
	if a := run(t, Config{}).Address(); a != "" {
		t.Errorf("listens at %s", a)
	}
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "example.org:1", "192.0.2.1:1", "127.0.0.1"} {
		if _, err := Open(t.Context(), Config{Dir: t.TempDir(), Listen: listen}); err == nil {
			t.Errorf("%q without a token", listen)
		}
	}
	if _, err := Open(t.Context(), Config{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: "short"}); err == nil {
		t.Error("a short token")
	}
}

func TestExternalServerByURL(t *testing.T) {
	// The server of another queue stands for a cluster; its token is that of an operator.
	config := Config{Name: "outside", Dir: filepath.Join(t.TempDir(), "server"), Listen: "127.0.0.1:0"}
	c := config.withDefaults()
	server, err := start(&c)
	if err != nil {
		t.Fatal(err)
	}
	defer server.stop()
	url := "nats://" + server.address()
	n := run(t, Config{Name: "mine", URL: url, Token: server.secret, MaxPrograms: 1 << 20, MaxBytes: 16 << 20})
	n.worker("local", &trial{slots: []Slot{{Device: "l", Memory: 1}}})
	stop := background(t, func(ctx context.Context) error {
		return Work(ctx, WorkerConfig{
			URL: "nats://" + server.secret + "@" + server.address(), QueueName: "mine", Name: "far", Dir: t.TempDir(),
			Poll: quickPoll, Beat: quick.Beat,
		}, &trial{slots: []Slot{{Device: "f", Memory: 1}}})
	})
	defer stop()
	for _, device := range []string{"l", "f"} {
		task := job("on-"+device, "echo")
		task.Device = device
		n.submit(task)
		n.want(task.ID, "")
	}
	n.stop()
}
