package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/gateway"
)

// town is a network of processes of this program, in temporary homes.
type town struct {
	w       io.Writer
	dir     string
	program string
	keys    map[string]string // public keys by name
	nodes   []*resident
}

// resident is a node of a town.
type resident struct {
	name string
	cmd  *exec.Cmd
	log  bytes.Buffer // read after done
	done chan struct{}
	err  error
}

// operators of a town, with their least prices in base units.
func townPrices() map[string]string {
	return map[string]string{"ann": "200000", "bob": "240000", "eve": "280000"}
}

// startTime bounds how long the nodes of a town may take to find each other.
const startTime = 30 * time.Second

// newTown makes keys and a network, and starts its nodes.
func newTown(ctx context.Context, w io.Writer) (t *town, err error) {
	t = &town{w: w, keys: map[string]string{}}
	if t.program, err = os.Executable(); err != nil {
		return nil, err
	}
	if t.dir, err = os.MkdirTemp("", "wes-demo-"); err != nil {
		return nil, err
	}
	if err = t.found(ctx); err == nil {
		err = t.open(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

// parties have money in the market.
func (t *town) parties() []string { return []string{"client", "ann", "bob", "eve"} }

// found makes the keys, and the network that they have coins of.
func (t *town) found(ctx context.Context) error {
	args := []string{"node", "network", "new", "town", "--miner", "miner", "--spacing", "500ms", "--heartbeat", "2s", "--out", t.path("town.toml")}
	for _, name := range append([]string{"miner"}, t.parties()...) {
		out, err := t.run(ctx, name, "wallet", "new", name, "--unencrypted", "--json")
		if err != nil {
			return err
		}
		var k struct{ Address, Public string }
		if err := json.Unmarshal(out, &k); err != nil {
			return err
		}
		t.keys[name] = k.Public
		args = append(args, "--fund", k.Address+"=10x10")
	}
	_, err := t.run(ctx, "miner", args...)
	return err
}

// open starts the nodes, the miner first, and waits until all operators are known to the client.
func (t *town) open(ctx context.Context) error {
	if err := t.start(ctx, "miner", "--mine", "--miner-key", "miner"); err != nil {
		return err
	}
	s, err := api.NewClient(t.url("miner"), "").Status(ctx)
	if err != nil {
		return err
	}
	peers := strings.Join(s.Addresses, ",")
	for name, price := range townPrices() {
		if err := t.start(ctx, name, "--peers", peers, "--market-key", name, "--sell", "--price-minimum", price); err != nil {
			return err
		}
	}
	if err := t.start(ctx, "client", "--peers", peers, "--market-key", "client"); err != nil {
		return err
	}
	rows := [][]string{{"NODE", "PROCESS", "API", "LEAST PRICE"}}
	for _, r := range t.nodes {
		price := ""
		if p := townPrices()[r.name]; p != "" {
			price = baseUnits(p)
		}
		rows = append(rows, []string{r.name, fmt.Sprint(r.cmd.Process.Pid), t.url(r.name), price})
	}
	if err := table(t.w, rows); err != nil {
		return err
	}
	return t.await(ctx, "operators", func() (bool, error) {
		all, err := t.client().Operators(ctx)
		return len(all) == len(townPrices()), err
	})
}

func (t *town) path(name string) string { return filepath.Join(t.dir, name) }
func (t *town) home(name string) string { return t.path(name) }

// url is where a node's API is; empty before it runs.
func (t *town) url(name string) string {
	url, err := node.RunningURL(t.home(name))
	if err != nil {
		return ""
	}
	return url
}

func (t *town) client() *gateway.Client { return gateway.NewClient(t.url("client"), "") }

// name is the name of an operator's key.
func (t *town) name(key string) string {
	for name, k := range t.keys {
		if k == key {
			return name
		}
	}
	return key
}

// run runs a command of this program in a home, and returns what it says.
func (t *town) run(ctx context.Context, home string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, t.program, append(args, "--home", t.home(home))...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("wes %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

// show runs a command at the client, as a user would, and prints what it says.
func (t *town) show(ctx context.Context, args ...string) error {
	fmt.Fprintf(t.w, "$ wes %s\n", strings.Join(args, " "))
	out, err := t.run(ctx, "client", args...)
	if err == nil {
		_, err = t.w.Write(out)
	}
	return err
}

// start starts a node and waits until its API answers.
func (t *town) start(ctx context.Context, name string, more ...string) error {
	args := append([]string{
		"node", "--home", t.home(name), "--network", t.path("town.toml"), "--listen", "/ip4/127.0.0.1/tcp/0", "--api", "127.0.0.1:0",
		"--mdns=false", "--dht", "off", "--nat=false",
	}, more...)
	r := &resident{name: name, cmd: exec.Command(t.program, args...), done: make(chan struct{})}
	r.cmd.Stdout, r.cmd.Stderr = &r.log, &r.log
	if err := r.cmd.Start(); err != nil {
		return err
	}
	t.nodes = append(t.nodes, r)
	go func() {
		defer close(r.done)
		r.err = r.cmd.Wait()
	}()
	return t.await(ctx, "the API of "+name, func() (bool, error) {
		select {
		case <-r.done:
			return false, fmt.Errorf("node %s ended: %w\n%s", name, r.err, &r.log)
		default:
		}
		url := t.url(name)
		if url == "" {
			return false, nil
		}
		_, err := api.NewClient(url, "").Status(ctx)
		return err == nil, nil
	})
}

// await polls until something is so.
func (t *town) await(ctx context.Context, what string, f func() (bool, error)) error {
	ctx, stop := context.WithTimeout(ctx, startTime)
	defer stop()
	if err := poll(ctx, f); err != nil {
		return fmt.Errorf("wait for %s: %w", what, err)
	}
	return nil
}

// settle waits until all nodes have a block.
func (t *town) settle(ctx context.Context, height uint64) error {
	return t.await(ctx, "the block on all nodes", func() (bool, error) {
		for _, r := range t.nodes {
			s, err := api.NewClient(t.url(r.name), "").Status(ctx)
			if err != nil || s.Height < height {
				return false, err
			}
		}
		return true, nil
	})
}

// close ends the nodes, those that were started last first, and removes their homes.
func (t *town) close() error {
	var all sync.WaitGroup
	for _, r := range slices.Backward(t.nodes) {
		all.Go(func() { r.end() })
	}
	all.Wait()
	return os.RemoveAll(t.dir)
}

// endTime is how long a node may take to end by itself.
const endTime = 10 * time.Second

func (r *resident) end() {
	_ = r.cmd.Process.Signal(os.Interrupt) // it may have ended
	select {
	case <-r.done:
	case <-time.After(endTime):
		_ = r.cmd.Process.Kill()
		<-r.done
	}
}
