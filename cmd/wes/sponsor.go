package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/wallet"
)

func newSponsor() *cobra.Command {
	return group("sponsor", "Pay the fees of others", newSponsorCreate(), newSponsorShow(), newSponsorClose())
}

// poolFlags are the terms of a pool.
type poolFlags struct {
	users         []string
	rate          uint64
	most, cap     string
	period, valid time.Duration
}

func newSponsorCreate() *cobra.Command {
	var s spending
	var p poolFlags
	c := &cobra.Command{
		Use: "create AMOUNT", Short: "Set WES aside that pay the fees of others", Args: arguments("AMOUNT"),
		Long: fmt.Sprintf(`Set an amount of WES aside that pays the fees of others' transactions. The pool is split into
%d outputs, so that as many transactions of a block can use it. Without --user it is open to
everybody, and then needs --cap: that much can be lost in a period, to miners at worst. Its
owner can take back what is left at any time.

A user is named by the public key that wes wallet list --json prints, or by the name of a key.`, wallet.SponsorShards),
		Example: "  wes sponsor create 10 --user alice --valid 720h\n  wes sponsor create 10 --cap 0.5 --period 24h --wait",
		RunE: func(c *cobra.Command, args []string) error {
			amount, err := parseWES(args[0])
			if err != nil {
				return err
			}
			return s.run(c, func(ctx context.Context, by *payer, _ *sent) (*wallet.Built, error) {
				pool, err := p.pool(ctx, by)
				if err != nil {
					return nil, err
				}
				return by.CreateSponsor(ctx, pool, amount)
			})
		},
	}
	s.bind(c)
	f := c.Flags()
	f.StringArrayVar(&p.users, "user", nil, "who may use it: a public key or the name of a key; may be given up to 16 times")
	f.Uint64Var(&p.rate, "rate", 2, "base units that it pays per unit of weight")
	f.StringVar(&p.most, "max-per-tx", "0.01", "bound of what it pays for one transaction, in WES")
	f.StringVar(&p.cap, "cap", "0", "bound of what it pays in a period, in WES; 0 is none")
	f.DurationVar(&p.period, "period", 24*time.Hour, "length of a period")
	f.DurationVar(&p.valid, "valid", 30*24*time.Hour, "how long it pays, from now on")
	return c
}

func (f *poolFlags) pool(ctx context.Context, by *payer) (p chain.SponsorPool, err error) {
	env, err := by.ledger.Env(ctx)
	if err != nil {
		return p, err
	}
	if f.period <= 0 || f.valid <= 0 {
		return p, fmt.Errorf("--period %v and --valid %v: want more than nothing", f.period, f.valid)
	}
	now := max(env.Now, uint64(time.Now().UnixMilli()))
	p = chain.SponsorPool{
		Operations: chain.AllOperations, Rate: f.rate, PeriodLen: uint64(f.period.Milliseconds()), PeriodStart: env.Now,
		Expiry: now + uint64(f.valid.Milliseconds()),
	}
	if p.MaxPerTx, err = parseWES(f.most); err != nil {
		return p, fmt.Errorf("--max-per-tx: %w", err)
	}
	if p.PeriodCap, err = parseWES(f.cap); err != nil {
		return p, fmt.Errorf("--cap: %w", err)
	}
	if len(f.users) == 0 && p.PeriodCap == 0 {
		return p, fmt.Errorf("a pool for everybody needs a bound: say --cap, or who may use it with --user")
	}
	for _, u := range f.users {
		l, err := by.user(u)
		if err != nil {
			return p, fmt.Errorf("--user: %w", err)
		}
		p.Users = append(p.Users, l)
	}
	return p, nil
}

// user is the lock of a public key, or of a key of the home folder.
func (p *payer) user(s string) (chain.Lock, error) {
	if h, err := parseHash(s); err == nil {
		return chain.Key{Key: chain.PublicKey(h)}, nil
	}
	k, err := keys(p.cfg).Get(s)
	return k.Lock(), err
}

func newSponsorShow() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "show [NAME|ADDRESS]", Short: "Show the pools of an owner", Args: optional,
		Long:    "Show the pools that a key or an address owns, output by output.",
		Example: "  wes sponsor show alice",
		RunE: func(c *cobra.Command, args []string) error {
			w, err := v.watch(c, first(args))
			if err != nil {
				return err
			}
			all, err := shards(c.Context(), w.client, w.lock)
			if err != nil {
				return err
			}
			return printShards(c.OutOrStdout(), all, v.json)
		},
	}
	v.bind(c)
	return c
}

// shard is an output of a pool.
type shard struct {
	output *api.Output
	utxo   chain.UTXO
	pool   *chain.SponsorPool
}

// shards finds the outputs of all pools of an owner.
func shards(ctx context.Context, client *api.Client, owner chain.Hash) ([]shard, error) {
	var all []shard
	err := outputs(ctx, client, api.RoleOwner, owner.String(), func(o *api.Output) (bool, error) {
		if o.Body["kind"] != "sponsor_pool" {
			return true, nil
		}
		u, err := o.UTXO()
		if err != nil {
			return false, err
		}
		if s, ok := u.Entry.Output.Body.(*chain.State); ok {
			data, err := chain.DecodeState(s)
			if err != nil {
				return false, fmt.Errorf("answer of the node: %w", err)
			}
			if p, ok := data.(*chain.SponsorPool); ok {
				all = append(all, shard{o, u, p})
			}
		}
		return true, nil
	})
	return all, err
}

func printShards(w io.Writer, all []shard, asJSON bool) error {
	list := []*api.Output{}
	rows := [][]string{{"OUTPUT", "HOLDS", "LEFT IN PERIOD", "USERS", "UNTIL"}}
	var sum uint64
	for _, s := range all {
		list = append(list, s.output)
		holds := s.utxo.Entry.Output.Value.Of(chain.TokenID{})
		sum += holds // of WES, whose supply fits 64 bits
		left, users := "no bound", "everybody"
		if s.pool.PeriodCap > 0 {
			left = wesText(s.pool.PeriodLeft)
		}
		if len(s.pool.Users) > 0 {
			users = strconv.Itoa(len(s.pool.Users))
		}
		rows = append(rows, []string{s.output.Outpoint, wesText(holds), left, users, clock(s.pool.Expiry)})
	}
	if asJSON {
		return printJSON(w, map[string]any{"total": decimal(sum), "shards": list})
	}
	fmt.Fprintf(w, "%d outputs with %s\n\n", len(all), coinText(chain.TokenID{}, sum))
	return table(w, rows)
}

func newSponsorClose() *cobra.Command {
	var s spending
	c := &cobra.Command{
		Use: "close", Short: "Take back what your pools still hold", Args: arguments(),
		Long: fmt.Sprintf(`Take back what all pools of the key still hold. One transaction closes up to %d outputs: of
more, say it again.`, maxClosed),
		Example: "  wes sponsor close --from alice --wait",
		RunE: func(c *cobra.Command, _ []string) error {
			return s.run(c, func(ctx context.Context, p *payer, _ *sent) (*wallet.Built, error) {
				all, err := shards(ctx, p.client, chain.LockHash(p.Lock()))
				if err != nil {
					return nil, err
				}
				if len(all) == 0 {
					return nil, fmt.Errorf("the key owns no pools: wes sponsor create makes one")
				}
				var spent []chain.UTXO
				for _, x := range all[:min(len(all), maxClosed)] {
					spent = append(spent, x.utxo)
				}
				return p.CloseSponsor(ctx, spent)
			})
		},
	}
	s.bind(c)
	return c
}

// maxClosed leaves room for coins that pay the fee.
const maxClosed = chain.MaxInputs / 2
