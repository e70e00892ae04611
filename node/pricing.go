package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market/capacity"
	"github.com/weisyn/wes/node/trade"
	"github.com/weisyn/wes/node/works"
)

const (
	// priceEvery is how often the price script is asked, so that bids never wait for it.
	priceEvery = 30 * time.Second
	// priceTime bounds one call of the script.
	priceTime = 10 * time.Second
	// pricePause is the least time between two rounds: what strangers ask for does not decide how often
	// the script runs.
	pricePause = time.Second
	// maxScriptOutput is in bytes.
	maxScriptOutput = 64 << 10
)

// goods are what has a price.
type goods interface {
	Programs() []trade.Program
	// Changed is closed when another program is offered, refused or withdrawn.
	Changed() <-chan struct{}
}

var _ goods = (*works.Works)(nil)

// pricing is what an operator asks for: by the settings, and by a script for what it knows better.
type pricing struct {
	works  goods
	log    *slog.Logger
	wake   chan struct{} // has room for one
	mu     sync.Mutex
	base   capacity.Pricing
	fixed  map[string]uint64 // by CID
	script string
}

func newPricing(c *Config, w goods, log *slog.Logger) (*pricing, error) {
	p := &pricing{works: w, log: log, wake: make(chan struct{}, 1)}
	return p, p.set(c)
}

// set takes over the settings of prices.
func (p *pricing) set(c *Config) error {
	fixed, err := c.fixedPrices()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.base = capacity.Pricing{Minimum: c.PriceMinimum, PerUnit: c.PricePerUnit, PerMiB: c.PricePerMiB}
	p.fixed, p.script = fixed, c.PriceScript
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return nil
}

// fixedPrices reads the setting prices.
func (c *Config) fixedPrices() (map[string]uint64, error) {
	all := map[string]uint64{}
	for _, s := range c.Prices {
		cid, text, _ := strings.Cut(s, "=")
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || n == 0 || cid == "" {
			return nil, &SettingError{"prices", fmt.Sprintf("%q is not CID=PRICE", s)}
		}
		all[cid] = n
	}
	return all, nil
}

// now are the prices without the script's.
func (p *pricing) now() capacity.Pricing {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.base
	q.Fixed = map[capacity.Program]uint64{}
	for _, x := range p.works.Programs() {
		if n, ok := p.fixed[x.Content]; ok {
			q.Fixed[capacity.Program(x.Ref.Tx)] = n
		}
	}
	return q
}

// run keeps the prices of a capacity up to date, until ctx ends.
func (p *pricing) run(ctx context.Context, c *trade.Capacity) error {
	every := time.NewTicker(priceEvery)
	defer every.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
		changed := p.works.Changed()
		c.SetPricing(p.asked(ctx, c))
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		case <-p.wake:
		case <-changed:
		}
		pause.Reset(pricePause)
	}
}

// asked are the prices with the script's, where it has an opinion.
func (p *pricing) asked(ctx context.Context, c *trade.Capacity) capacity.Pricing {
	q := p.now()
	p.mu.Lock()
	script := p.script
	p.mu.Unlock()
	if script == "" {
		return q
	}
	tasks, bids := c.Depth()
	for _, x := range p.works.Programs() {
		n := capacity.Need{Program: capacity.Program(x.Ref.Tx), Units: x.Units, Memory: x.Memory}
		price, err := runScript(ctx, script, &scriptInput{
			Program: x.Ref.String(), Name: x.Name, Content: x.Content, Kind: jobKindName(x.Kind), Units: x.Units, Memory: x.Memory,
			ProveFee: x.ProveFee, Price: q.Price(&n), Tasks: tasks, Bids: bids,
		})
		if err != nil {
			p.log.Warn("the price script is of no use: the settings hold", "content", x.Content, keyError, err)
			continue
		}
		if price > 0 {
			q.Fixed[n.Program] = price
		}
	}
	return q
}

// scriptInput is what the price script reads, as JSON on its standard input. It answers
// {"price": base units}; 0 or nothing leaves the price as it is.
type scriptInput struct {
	Program  string `json:"program"` // output that announces it
	Name     string `json:"name"`
	Content  string `json:"content"` // CID
	Kind     string `json:"kind"`
	Units    uint64 `json:"units"`     // of work
	Memory   uint64 `json:"memory"`    // bytes
	ProveFee uint64 `json:"prove_fee"` // base units
	Price    uint64 `json:"price"`     // by the settings, base units
	Tasks    int    `json:"tasks"`     // that wait or run
	Bids     int    `json:"bids"`      // that stand
}

func jobKindName(k chain.JobKind) string {
	if k == chain.JobProve {
		return "prove"
	}
	return "infer"
}

// runScript asks the script for one price.
func runScript(ctx context.Context, script string, in *scriptInput) (uint64, error) {
	ctx, stop := context.WithTimeout(ctx, priceTime)
	defer stop()
	asked, err := json.Marshal(in)
	if err != nil {
		return 0, err
	}
	out := &bounded{limit: maxScriptOutput}
	c := exec.CommandContext(ctx, script)
	c.Stdin, c.Stdout, c.WaitDelay = bytes.NewReader(asked), out, time.Second
	if err := c.Run(); err != nil {
		return 0, fmt.Errorf("price script: %w", err)
	}
	if len(bytes.TrimSpace(out.b)) == 0 {
		return 0, nil
	}
	var answer struct {
		Price uint64 `json:"price"`
	}
	if err := json.Unmarshal(out.b, &answer); err != nil {
		return 0, fmt.Errorf("price script: its answer: %w", err)
	}
	return answer.Price, nil
}

// bounded keeps the first bytes that are written to it.
type bounded struct {
	b     []byte
	limit int
}

func (w *bounded) Write(p []byte) (int, error) {
	if len(w.b)+len(p) > w.limit {
		return 0, fmt.Errorf("more than %d bytes", w.limit)
	}
	w.b = append(w.b, p...)
	return len(p), nil
}
