package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/gateway"
)

// loopback runs nodes of one network as processes on the loopback interface.
type loopback struct {
	t       *testing.T
	dir     string
	network string // file of the definition
}

// process is a running node.
type process struct {
	loopback *loopback
	name     string
	cmd      *exec.Cmd
	done     chan struct{}
	err      error        // of the process, after done
	log      bytes.Buffer // after done
	client   *api.Client
	market   *gateway.Client
}

// wes runs a command to its end, in the home folder of a node.
func (f *loopback) wes(home string, args ...string) string {
	f.t.Helper()
	c := exec.CommandContext(f.t.Context(), "wes", append(args, "--home", filepath.Join(f.dir, home))...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		f.t.Fatalf("wes %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out)
}

// start runs a node that dials others, and waits until its API answers. With a key it makes blocks.
func (f *loopback) start(name, key string, peers ...*process) *process {
	f.t.Helper()
	var more []string
	if key != "" {
		more = []string{"--mine", "--threads", "1", "--miner-key", key}
	}
	return f.run("wes", name, peers, more...)
}

// run starts a program that is a node, with more settings.
func (f *loopback) run(program, name string, peers []*process, more ...string) *process {
	f.t.Helper()
	args := []string{
		"node", "--home", filepath.Join(f.dir, name), "--network", f.network, "--api", "127.0.0.1:0", "--workers", "1",
		"--listen", "/ip4/127.0.0.1/udp/0/quic-v1,/ip4/127.0.0.1/tcp/0", "--mdns=false", "--dht", "off", "--nat=false", "--log-level", "debug",
	}
	args = append(args, more...)
	var dial []string
	for _, p := range peers {
		dial = append(dial, p.status().Addresses...)
	}
	if len(dial) > 0 {
		args = append(args, "--peers", strings.Join(dial, ","))
	}
	p := &process{loopback: f, name: name, cmd: exec.Command(program, args...), done: make(chan struct{})}
	_ = os.Remove(filepath.Join(f.dir, name, "api.url")) // of a node that was killed
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	f.t.Cleanup(p.kill)
	p.await("the API", func() bool {
		url, err := node.RunningURL(filepath.Join(f.dir, name))
		if err != nil {
			return false
		}
		p.client, p.market = api.NewClient(url, ""), gateway.NewClient(url, "")
		_, err = p.client.Status(f.t.Context())
		return err == nil
	})
	return p
}

// deadline bounds every wait of the test; nothing is slow because of it.
const deadline = 2 * time.Minute

// await polls a condition until it holds, or the process has ended.
func (p *process) await(what string, holds func() bool) {
	p.loopback.t.Helper()
	ctx, stop := context.WithTimeout(p.loopback.t.Context(), deadline)
	defer stop()
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for !holds() {
		select {
		case <-every.C:
			continue
		case <-p.done:
		case <-ctx.Done():
		}
		p.kill()
		p.loopback.t.Fatalf("%s waits in vain for %s\n%s", p.name, what, &p.log)
	}
}

func (p *process) status() api.Status {
	p.loopback.t.Helper()
	s, err := p.client.Status(p.loopback.t.Context())
	if err != nil {
		p.kill()
		p.loopback.t.Fatalf("%s: %v\n%s", p.name, err, &p.log)
	}
	return s
}

// stop ends a node as Ctrl-C does.
func (p *process) stop() {
	p.loopback.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.loopback.t.Fatal(err)
	}
	<-p.done
	if p.err != nil {
		p.loopback.t.Fatalf("%s: %v\n%s", p.name, p.err, &p.log)
	}
}

// kill ends a node at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// pays submits a transaction on a node, and returns its id.
func (p *process) pays(from, to, amount string) string {
	p.loopback.t.Helper()
	var s sent
	out := p.loopback.wes(p.name, "wallet", "send", to, amount, "--from", from, "--wait", "--json")
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		p.loopback.t.Fatal(err)
	}
	return s.ID
}

// confirmed reports whether a transaction is in the node's ledger.
func (p *process) confirmed(id string) bool {
	p.loopback.t.Helper()
	h, err := parseHash(id)
	if err != nil {
		p.loopback.t.Fatal(err)
	}
	x, err := p.client.Transaction(p.loopback.t.Context(), h)
	return err == nil && x.Status == "confirmed"
}

// at returns the block at a height.
func (p *process) at(height uint64) api.Block {
	p.loopback.t.Helper()
	b, err := p.client.Block(p.loopback.t.Context(), api.BlockParams{Height: &height})
	if err != nil {
		p.loopback.t.Fatalf("%s: block %d: %v", p.name, height, err)
	}
	return b
}

// newFleet defines a consortium of two miners, whose keys are in all home folders.
func newFleet(t *testing.T, homes ...string) *loopback {
	f := &loopback{t: t, dir: t.TempDir()}
	f.network = filepath.Join(f.dir, "network.toml")
	for _, key := range []string{"east", "west"} {
		f.wes("a", "wallet", "new", key, "--unencrypted")
		seed := filepath.Join(f.dir, key)
		if err := os.WriteFile(seed, []byte(f.wes("a", "wallet", "export", key)), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, h := range homes {
			if h != "a" {
				f.wes(h, "wallet", "import", key, seed, "--unencrypted")
			}
		}
	}
	f.wes("a", "node", "network", "new", "five", "--miner", "east", "--miner", "west", "--spacing", "50ms", "--heartbeat", "100ms",
		"--fund", "east=1000x10", "--fund", "west=1000x10", "--out", f.network)
	return f
}

// TestFiveProcessesAgree: two sides of a partition make blocks of their own, with a payment on
// each; once they meet, the longer chain holds both. A node that joins late, and one that is
// killed while it synchronises, end with the same ledger.
func TestFiveProcessesAgree(t *testing.T) {
	f := newFleet(t, "a", "b", "c", "d", "e")

	// The partition: a and b with one miner, c and d with the other.
	a := f.start("a", "east")
	b := f.start("b", "", a)
	c := f.start("c", "west")
	d := f.start("d", "", c)
	east := b.pays("east", "west", "1.5")
	west := d.pays("west", "east", "2.5")
	a.await("40 blocks", func() bool { return a.status().Height >= 40 })
	if peers := f.wes("b", "node", "peers"); !strings.Contains(peers, "outbound") {
		t.Errorf("b dials a, and says\n%s", peers)
	}
	if a.at(5).Hash == c.at(5).Hash || a.confirmed(west) || c.confirmed(east) {
		t.Fatal("there is no partition")
	}
	a.stop()
	short := b.status()
	b.stop()
	c.await("a longer chain", func() bool { return c.status().Height >= short.Height+20 })
	d.stop()
	c.stop()

	// It heals: one connected network, in which both go on.
	c = f.start("c", "west")
	tall := c.status()
	d = f.start("d", "", c)
	a = f.start("a", "east", c, d)
	b = f.start("b", "", a)
	for _, p := range []*process{a, b, c, d} {
		p.await("both payments", func() bool { return p.confirmed(west) && p.confirmed(east) })
		if got := p.at(tall.Height).Hash; got != tall.Tip {
			t.Errorf("%s has left the longer chain: block %d is %s", p.name, tall.Height, got)
		}
	}
	c.await("a long chain", func() bool { return c.status().Height >= tall.Height+100 })
	a.stop()
	// Two last blocks of the same height would stand side by side for ever: nobody mines from here on.
	alone := c.status().Height
	c.await("blocks that only c makes", func() bool { return c.status().Height >= alone+3 })
	c.stop()
	a = f.start("a", "", b, d)
	c = f.start("c", "", a, d)

	// A node joins late, is killed while it synchronises, and goes on where it was.
	e := f.killedInSync("e", a, b)
	all := []*process{a, b, c, d, e}
	tip := agree(all...)
	for _, p := range all {
		p.stop()
	}
	want := f.verified("a")
	if want.Tip != tip {
		t.Errorf("a has %s on disk, and said %s", want.Tip, tip)
	}
	for _, p := range all[1:] {
		if got := f.verified(p.name); got != want {
			t.Errorf("%s ends with %+v, a with %+v", p.name, got, want)
		}
	}
}

// ledgerVerdict is what a verification of a ledger prints.
type ledgerVerdict struct {
	Valid    bool   `json:"valid"`
	Height   uint64 `json:"height"`
	Tip      string `json:"tip"`
	UTXOHash string `json:"utxo_hash"`
}

func (f *loopback) verified(home string) (v ledgerVerdict) {
	f.t.Helper()
	if err := json.Unmarshal([]byte(f.wes(home, "chain", "verify", "--json")), &v); err != nil {
		f.t.Fatal(err)
	}
	if !v.Valid {
		f.t.Errorf("%s: %+v", home, v)
	}
	return v
}

// agree waits until all have the tip of the first, and returns it.
func agree(all ...*process) (tip string) {
	all[0].loopback.t.Helper()
	tip = all[0].status().Tip
	for _, p := range all {
		p.await("the common tip", func() bool { return p.status().Tip == tip })
	}
	return tip
}

// killedInSync starts a node on an empty folder, kills it when it has a part of its peers'
// ledger, and starts it again: it goes on from there. One that is done before it is killed is
// begun anew.
func (f *loopback) killedInSync(name string, peers ...*process) *process {
	f.t.Helper()
	target := peers[0].status().Height
	for range 10 {
		p := f.start(name, "", peers...)
		var height uint64
		p.await("a part of the ledger", func() bool { height = p.status().Height; return height >= target/4 })
		p.kill()
		if height < target {
			p = f.start(name, "", peers...)
			if got := p.status().Height; got < height {
				f.t.Errorf("%s had %d blocks when it was killed, and %d after", name, height, got)
			}
			f.t.Logf("%s was killed at block %d of %d", name, height, target)
			return p
		}
		if err := os.RemoveAll(filepath.Join(f.dir, name, "store")); err != nil {
			f.t.Fatal(err)
		}
	}
	f.t.Fatalf("%s synchronises %d blocks too fast to be killed", name, target)
	return nil
}
