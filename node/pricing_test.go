package node

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/capacity"
	"github.com/weisyn/wes/node/trade"
)

// stall is what is sold, and works that are asked for nothing else.
type stall struct {
	trade.Works
	mu      sync.Mutex
	all     []trade.Program
	changed chan struct{}
}

var _ goods = (*stall)(nil)

func (s *stall) Programs() []trade.Program {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}

func (s *stall) Changed() <-chan struct{} { return s.changed }

func newStall() *stall {
	return &stall{changed: make(chan struct{}), all: []trade.Program{
		{Ref: market.Ref{Tx: chain.Hash{1}}, Name: "a", Content: "cid-a", Kind: chain.JobInfer, Units: 2_000_000, Memory: 3 << 20, ProveFee: 9},
		{Ref: market.Ref{Tx: chain.Hash{2}}, Name: "b", Content: "cid-b", Kind: chain.JobProve, Units: 1, Memory: 1},
	}}
}

// script writes an executable script.
func script(t *testing.T, lines ...string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("scripts here are for a Unix shell")
	}
	path := filepath.Join(t.TempDir(), "price")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+strings.Join(lines, "\n")+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFixedPricesAreRead(t *testing.T) {
	for _, bad := range []string{"", "cid", "cid=", "=5", "cid=0", "cid=-1", "cid=1.5", "cid=18446744073709551616"} {
		c := Config{Prices: []string{"good=1", bad}}
		var setting *SettingError
		if all, err := c.fixedPrices(); !errors.As(err, &setting) || setting.Setting != "prices" {
			t.Errorf("%q: %v, %v", bad, all, err)
		}
		if _, err := newPricing(&c, newStall(), slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%q: it sets prices", bad)
		}
	}
	c := Config{Prices: []string{"a=1", "b=18446744073709551615"}}
	if all, err := c.fixedPrices(); err != nil || len(all) != 2 || all["a"] != 1 || all["b"] != 1<<64-1 {
		t.Errorf("%v, %v", all, err)
	}
}

// TestPricesOfTheSettings: by work and memory, the least of all, and fixed ones by content.
func TestPricesOfTheSettings(t *testing.T) {
	s := newStall()
	c := Config{PriceMinimum: 7, PricePerUnit: 10, PricePerMiB: 2}
	p, err := newPricing(&c, s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	desk := trade.NewCapacity(s, capacity.Options{}, p.now())
	price := func(want ...uint64) {
		t.Helper()
		desk.SetPricing(p.asked(t.Context(), desk))
		for i := range s.all {
			if got := desk.Price(&s.all[i]); got != want[i] {
				t.Errorf("%s costs %d, want %d", s.all[i].Name, got, want[i])
			}
		}
	}
	price(26, 7)
	c.Prices = []string{"cid-b=100", "cid-z=5"}
	if err := p.set(&c); err != nil {
		t.Fatal(err)
	}
	price(26, 100)
	c.Prices = []string{"nonsense"}
	if err := p.set(&c); err == nil {
		t.Error("bad prices are taken")
	}
	price(26, 100)
}

// TestPriceScriptsAreAskedForEveryProgram: in JSON, with the price of the settings.
func TestPriceScriptsAreAskedForEveryProgram(t *testing.T) {
	s := newStall()
	seen := filepath.Join(t.TempDir(), "seen")
	c := Config{
		PriceMinimum: 7, Prices: []string{"cid-b=100"},
		PriceScript: script(t, `read -r line`, `echo "$line" >> `+seen, `case "$line" in *'"name":"a"'*) echo '{"price": 55}';; esac`),
	}
	p, err := newPricing(&c, s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	desk := trade.NewCapacity(s, capacity.Options{}, p.now())
	q := p.asked(t.Context(), desk)
	if a, b := q.Fixed[capacity.Program{1}], q.Fixed[capacity.Program{2}]; a != 55 || b != 100 {
		t.Errorf("%d and %d", a, b)
	}
	raw, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	want := `{"program":"` + s.all[0].Ref.String() + `","name":"a","content":"cid-a","kind":"infer","units":2000000,"memory":3145728,"prove_fee":9,"price":7,"tasks":0,"bids":0}`
	if first != want {
		t.Errorf("%s, want %s", first, want)
	}
	if !strings.Contains(string(raw), `"kind":"prove"`) || !strings.Contains(string(raw), `"price":100`) {
		t.Errorf("%s", raw)
	}
}

func TestAnswersOfPriceScripts(t *testing.T) {
	for name, c := range map[string]struct {
		script []string
		price  uint64
		bad    bool
	}{
		"a price":       {[]string{`echo '{"price": 12}'`}, 12, false},
		"and more":      {[]string{`echo '{"price": 12, "why": "night"}'`}, 12, false},
		"nothing":       {[]string{`exit 0`}, 0, false},
		"no opinion":    {[]string{`echo '{}'`}, 0, false},
		"blank":         {[]string{`echo '  '`}, 0, false},
		"reads nothing": {[]string{`exec 0<&-`, `echo '{"price": 3}'`}, 3, false},
		"no JSON":       {[]string{`echo cheap`}, 0, true},
		"two answers":   {[]string{`echo '{"price": 1}'`, `echo '{"price": 2}'`}, 0, true},
		"negative":      {[]string{`echo '{"price": -1}'`}, 0, true},
		"too large":     {[]string{`echo '{"price": 18446744073709551616}'`}, 0, true},
		"it fails":      {[]string{`echo '{"price": 1}'`, `exit 3`}, 0, true},
		"much output":   {[]string{`head -c 70000 /dev/zero`, `echo '{"price": 1}'`}, 0, true},
		"endless":       {[]string{`exec cat /dev/zero`}, 0, true},
	} {
		price, err := runScript(t.Context(), script(t, c.script...), &scriptInput{})
		if price != c.price || (err != nil) != c.bad {
			t.Errorf("%s: %d, %v", name, price, err)
		}
	}
	if _, err := runScript(t.Context(), filepath.Join(t.TempDir(), "none"), &scriptInput{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestPriceScriptsEndWithTheirTime: also where a child of theirs goes on.
func TestPriceScriptsEndWithTheirTime(t *testing.T) {
	begun := filepath.Join(t.TempDir(), "begun")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	path := script(t, `touch `+begun, `exec sleep 60`)
	go func() {
		_, err := runScript(ctx, path, &scriptInput{})
		ended <- err
	}()
	for {
		if _, err := os.Stat(begun); err == nil {
			break
		}
		if t.Context().Err() != nil {
			t.Fatal("the script does not begin")
		}
		runtime.Gosched()
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("it has ended by itself")
	}
}

// TestPricesFollowSettingsWhileTheNodeRuns: a bad script leaves those of the settings.
func TestPricesFollowSettingsWhileTheNodeRuns(t *testing.T) {
	s := newStall()
	c := Config{PriceMinimum: 7}
	p, err := newPricing(&c, s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	desk := trade.NewCapacity(s, capacity.Options{}, capacity.Pricing{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.run(ctx, desk) }()
	reaches := func(want uint64) {
		t.Helper()
		for desk.Price(&s.all[1]) != want {
			if t.Context().Err() != nil {
				t.Fatalf("the price is %d, want %d", desk.Price(&s.all[1]), want)
			}
			runtime.Gosched()
		}
	}
	reaches(7)
	c.PriceMinimum, c.PriceScript = 8, script(t, `exit 1`)
	if err := p.set(&c); err != nil {
		t.Fatal(err)
	}
	reaches(8)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
