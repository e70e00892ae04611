package store

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// scenario is a fixed course of blocks, reorganisations and prunings, the same in every process.
//
//	genesis - a1 - a2 - a3
//	           \ - b2 - b3 - b4 - b5
//	                 \ - c3 - c4
type scenario struct {
	o     Options
	from  *chaintest.Memory // attachments
	nodes map[string]*node
	steps []step
}

// node is a block of the scenario and the ledger after it.
type node struct {
	name    string
	block   *chain.Block
	applied *chain.Applied
	blocks  []*chain.Block // from the genesis block to this one
	state   *chaintest.Memory
	ledger  chain.Ledger
}

func (n *node) hash() chain.Hash { return n.ledger.Tip }

// step is one call of the store.
type step struct {
	name string
	do   func(s *Store) error
	then string // where the store stands if it is opened after it
}

func newScenario(t testing.TB) *scenario {
	w := newWorld(t, 1, small())
	w.o.UndoDepth, w.o.AttachmentDepth = 3, 3
	c := &scenario{o: w.o, from: w.Store, nodes: map[string]*node{}}
	c.note("genesis", &node{block: w.o.Genesis, applied: w.o.Applied, blocks: w.blocks}, w)
	path := []string{"genesis"}
	for _, name := range []string{"a1", "a2", "a3", "<", "<", "b2", "b3", "b4", "<", "<", "c3", "c4", "<", "<", "b3", "b4", "b5"} {
		last := len(path) - 1
		if name == "<" {
			w.must(w.Disconnect())
			path = path[:last]
			continue
		}
		c.extend(name, c.nodes[path[last]], w)
		path = append(path, name)
	}
	c.plan()
	return c
}

// extend connects a new block, or the one that the name has already.
func (c *scenario) extend(name string, parent *node, w *world) {
	if n := c.nodes[name]; n != nil {
		_, err := w.Connect(n.block)
		w.must(err)
		return
	}
	b := w.block()
	if name == "a3" || name == "b3" {
		b = w.wide()
	}
	a, err := w.Connect(b)
	w.must(err)
	c.note(name, &node{block: b, applied: a, blocks: append(slices.Clone(parent.blocks), b)}, w)
}

// wide returns a block with so many outputs that it needs a redo record.
func (w *world) wide() *chain.Block {
	d := w.Draft()
	for _, u := range w.candidates(nil, nil) {
		if u.Entry.Output.Body == nil && len(u.Entry.Output.Value) == 1 && u.Entry.Output.Value[0].Token == (chain.TokenID{}) {
			with, _ := w.with(&u.Entry.Output)
			d.Spend(u, with).Pay(chain.Output{Lock: w.wallet().Lock(), Value: u.Entry.Output.Value})
			break
		}
	}
	for i := range 220 {
		d.Pay(chain.Output{Lock: chain.After{At: uint64(i)}})
	}
	raw, key := chaintest.Key(7, byte(len(w.blocks)))
	d.Attachments = []chain.Attachment{w.Store.Attach(chain.AttachKey, raw)}
	d.Pay(chain.Output{Lock: w.wallet().Lock(), Body: &chain.Resource{
		CID: []byte("model"), Kind: chain.ResourceModel, Name: "m", Owner: w.wallet().Lock(), Key: &key,
	}})
	return w.Block(7, d.Sign())
}

func (c *scenario) note(name string, n *node, w *world) {
	n.name, n.state, n.ledger = name, w.Store.Snapshot(), w.Ledger
	c.nodes[name] = n
}

func (c *scenario) step(name, then string, do func(s *Store) error) {
	c.steps = append(c.steps, step{name, do, then})
}

func (c *scenario) stage(at string, names ...string) {
	for _, n := range names {
		c.step("stage "+n, at, func(s *Store) error { return stage(s, c.from, c.nodes[n].block) })
	}
}

func (c *scenario) hashes(names ...string) (all []chain.Hash) {
	for _, n := range names {
		all = append(all, c.nodes[n].hash())
	}
	return all
}

func (c *scenario) begin(at string, undo, apply []string) {
	c.step(fmt.Sprint("begin ", undo, apply), at, func(s *Store) error { return s.Begin(c.hashes(undo...), c.hashes(apply...)) })
	for _, n := range undo {
		c.step("disconnect "+n, at, func(s *Store) error {
			b, err := s.Disconnect()
			if err == nil && !bytes.Equal(b.Encode(), c.nodes[n].block.Encode()) {
				err = fmt.Errorf("another block than %s", n)
			}
			return err
		})
	}
}

func (c *scenario) connect(name, then string) {
	c.step("connect "+name, then, func(s *Store) error { return s.Connect(c.nodes[name].block, c.nodes[name].applied, true) })
}

func (c *scenario) plan() {
	end := func(s *Store) error { return s.End() }
	at := "genesis"
	for _, n := range []string{"a1", "a2", "a3"} {
		c.stage(at, n)
		c.begin(at, nil, []string{n})
		c.connect(n, n)
		c.step("end", n, end)
		at = n
	}
	c.stage(at, "b2", "b3", "b4")
	c.begin(at, []string{"a3", "a2"}, []string{"b2", "b3", "b4"})
	c.connect("b2", at)
	c.connect("b3", at)
	c.connect("b4", "b4")
	c.step("end", "b4", end)
	c.stage("b4", "c3", "c4")
	c.begin("b4", []string{"b4", "b3"}, []string{"c3", "c4"})
	c.connect("c3", "b4")
	c.step("roll back", "b4", func(s *Store) error { return s.Rollback() })
	c.stage("b4", "b5")
	c.begin("b4", nil, []string{"b5"})
	c.connect("b5", "b5")
	c.step("end", "b5", end)
	c.step("prune", "b5", func(s *Store) error {
		_, err := s.Prune(100)
		return err
	})
}

// compare requires that a store stands whole at a node.
func (c *scenario) compare(t testing.TB, s *Store, name string) {
	t.Helper()
	n := c.nodes[name]
	r := s.Reader()
	defer r.Close()
	compareLedgers(t, r.Ledger(), n.ledger)
	compareLedgers(t, s.Ledger(), n.ledger)
	compareUnspent(t, r, n.state.Unspent)
	compareIndexes(t, r, n.blocks, n.state.Unspent)
	for h, count := range n.state.Named {
		want, _, _ := c.from.Attachment(h)
		got, ok, err := r.VerifyingKey(h)
		named, _, err2 := r.number(hashKey(keyNames, h))
		if !ok || err != nil || err2 != nil || named != count || !bytes.Equal(got, want) {
			t.Fatalf("verifying key %v: found %v, %d names of %d, %v, %v", h, ok, named, count, err, err2)
		}
	}
}

// carry continues from a node to b5, and requires that all is well there.
func (c *scenario) carry(t testing.TB, s *Store, name string) {
	t.Helper()
	do := func(undo, apply []string) {
		for _, n := range apply {
			if err := stage(s, c.from, c.nodes[n].block); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Begin(c.hashes(undo...), c.hashes(apply...)); err != nil {
			t.Fatal(err)
		}
		for range undo {
			if _, err := s.Disconnect(); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range apply {
			if err := s.Connect(c.nodes[n].block, c.nodes[n].applied, true); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
	}
	switch name {
	case "genesis":
		do(nil, []string{"a1", "b2", "b3", "b4", "b5"})
	case "a1":
		do(nil, []string{"b2", "b3", "b4", "b5"})
	case "a2":
		do([]string{"a2"}, []string{"b2", "b3", "b4", "b5"})
	case "a3":
		do([]string{"a3", "a2"}, []string{"b2", "b3", "b4", "b5"})
	case "b4":
		do(nil, []string{"b5"})
	}
	c.compare(t, s, "b5")
}

func TestScenarioStandsWhereItShouldAfterItsSteps(t *testing.T) {
	t.Parallel()
	c := newScenario(t)
	for n := 0; n <= len(c.steps); n += 3 {
		dir := t.TempDir()
		s, err := Open(dir, c.o)
		if err != nil {
			t.Fatal(err)
		}
		want := "genesis"
		for _, step := range c.steps[:n] {
			if err := step.do(s); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			want = step.then
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = Open(dir, c.o); err != nil {
			t.Fatal(err)
		}
		c.compare(t, s, want)
		c.carry(t, s, want)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
