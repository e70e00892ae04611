// Package town is a market on one machine: a miner and other nodes as processes of the program wes, on
// the loopback interface, with homes in a temporary folder. Demonstrations, benchmarks and tests use it.
package town

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weisyn/wes/node/api"
)

// Config says who lives in a town.
type Config struct {
	Program   []string // wes, or what has its verbs
	Spacing   time.Duration
	Heartbeat time.Duration
	Params    []string // of the network, NAME=NUMBER
	Funds     string   // of everybody, AMOUNTxCOUNT in WES
	Parties   []Party  // beside the miner
}

// Party is a node with a key of its name that buys, and sells if its settings say so.
type Party struct {
	Name     string
	Program  []string // in place of Config.Program
	Settings []string // flags of wes node
}

// Town runs. Its methods may be called from any goroutine once it is open.
type Town struct {
	Miner   *Node
	Parties []*Node
	cfg     Config
	dir     string
}

// minerName is the miner's, and its key's.
const minerName = "miner"

// Open makes keys and a network, and starts the nodes. The caller closes the town.
func Open(ctx context.Context, c Config) (t *Town, err error) {
	t = &Town{cfg: c}
	if t.dir, err = os.MkdirTemp("", "wes-town-"); err != nil {
		return nil, err
	}
	if err = t.found(ctx); err == nil {
		err = t.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open town: %w", err), t.Close())
	}
	return t, nil
}

// found makes the keys, and the network that they have coins of.
func (t *Town) found(ctx context.Context) error {
	args := []string{"node", "network", "new", "town", "--miner", minerName, "--out", t.network()}
	args = append(args, "--spacing", t.cfg.Spacing.String(), "--heartbeat", t.cfg.Heartbeat.String())
	for _, p := range t.cfg.Params {
		args = append(args, "--param", p)
	}
	t.Miner = t.resident(Party{Name: minerName, Settings: []string{"--mine", "--threads", "1", "--miner-key", minerName}})
	for _, p := range t.cfg.Parties {
		p.Settings = append([]string{"--market-key", p.Name}, p.Settings...)
		t.Parties = append(t.Parties, t.resident(p))
	}
	for _, n := range append([]*Node{t.Miner}, t.Parties...) {
		out, err := n.Run(ctx, "wallet", "new", n.Name, "--unencrypted", "--json")
		if err != nil {
			return err
		}
		var k struct{ Address, Public string }
		if err := json.Unmarshal(out, &k); err != nil {
			return err
		}
		n.Key, n.Address = k.Public, k.Address
		args = append(args, "--fund", k.Address+"="+t.cfg.Funds)
	}
	_, err := t.Miner.Run(ctx, args...)
	return err
}

func (t *Town) network() string { return filepath.Join(t.dir, "town.toml") }

func (t *Town) resident(p Party) *Node {
	if p.Program == nil {
		p.Program = t.cfg.Program
	}
	return &Node{Name: p.Name, Home: filepath.Join(t.dir, p.Name), program: p.Program, wes: t.cfg.Program, settings: p.Settings}
}

// start starts the miner and, once it can be reached, all others.
func (t *Town) start(ctx context.Context) error {
	if err := t.Miner.Start(ctx, t.network()); err != nil {
		return err
	}
	for _, n := range t.Parties {
		if err := t.Acquaint(ctx, n, t.Miner); err != nil {
			return err
		}
	}
	errs := make([]error, len(t.Parties))
	var all sync.WaitGroup
	for i, n := range t.Parties {
		all.Go(func() { errs[i] = n.Start(ctx, t.network()) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Node returns a party by its name, or by its key in hexadecimal; nil if there is none.
func (t *Town) Node(name string) *Node {
	i := slices.IndexFunc(t.Parties, func(n *Node) bool { return n.Name == name || n.Key == name })
	if i < 0 {
		return nil
	}
	return t.Parties[i]
}

// Restart starts a node that has ended.
func (t *Town) Restart(ctx context.Context, n *Node) error { return n.Start(ctx, t.network()) }

// Acquaint lets a party dial another node too, from its next start on.
func (t *Town) Acquaint(ctx context.Context, n, other *Node) error {
	s, err := other.API().Status(ctx)
	if err != nil {
		return err
	}
	n.peers = append(n.peers, s.Addresses...)
	return nil
}

// Operators waits until a node has heard of so many operators that offer at least so many models each.
func (t *Town) Operators(ctx context.Context, n *Node, count, offers int) error {
	return Await(ctx, fmt.Sprintf("%d operators at %s", count, n.Name), func() (bool, error) {
		all, err := n.Market().Operators(ctx)
		good := 0
		for _, o := range all {
			if len(o.Prices) >= offers {
				good++
			}
		}
		return good >= count, err
	})
}

// Settled waits until all nodes have a block.
func (t *Town) Settled(ctx context.Context, height uint64) error {
	return Await(ctx, fmt.Sprintf("block %d on all nodes", height), func() (bool, error) {
		for _, n := range append([]*Node{t.Miner}, t.Parties...) {
			s, err := n.API().Status(ctx)
			if err != nil || s.Height < height {
				return false, err
			}
		}
		return true, nil
	})
}

// Close ends all nodes and removes their homes.
func (t *Town) Close() error {
	var all sync.WaitGroup
	for _, n := range append([]*Node{t.Miner}, t.Parties...) {
		if n != nil {
			all.Go(n.Stop)
		}
	}
	all.Wait()
	return os.RemoveAll(t.dir)
}

// waitTime bounds every wait. It is long: nothing is slow because of it.
const waitTime = 2 * time.Minute

// waitEvery is how often it is looked whether something is so.
const waitEvery = 10 * time.Millisecond

// Await polls until something is so, for two minutes at most.
func Await(ctx context.Context, what string, f func() (bool, error)) error {
	ctx, stop := context.WithTimeout(ctx, waitTime)
	defer stop()
	every := time.NewTicker(waitEvery)
	defer every.Stop()
	for {
		if ok, err := f(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		case <-every.C:
		}
	}
}

// run runs a program to its end, and returns what it says.
func run(ctx context.Context, program []string, args ...string) ([]byte, error) {
	all := append(slices.Clone(program), args...)
	c := exec.CommandContext(ctx, all[0], all[1:]...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("wes %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

// unreachable reports whether an API does not answer yet.
func unreachable(err error) bool { return errors.Is(err, api.ErrUnreachable) }
