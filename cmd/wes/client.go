package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/wallet"
)

// nodeVariable has the URL of the node, where no flag names one.
const nodeVariable = "WES_NODE"

// connection says which node a verb talks to.
type connection struct {
	home
	url       string
	tokenFile string
}

func (c *connection) bind(cmd *cobra.Command) {
	c.home.bind(cmd)
	f := cmd.Flags()
	f.StringVar(&c.url, "node", "", "URL of the node's API (default: "+nodeVariable+", else that of the node running in the home folder)")
	f.StringVar(&c.tokenFile, "token-file", "", "file with the token that the API asks for (default: the setting api_token)")
}

// open returns a client of the node, and the configuration of the home folder. Nothing is sent.
func (c *connection) open() (*api.Client, *node.Config, error) {
	cfg, url, token, err := c.target()
	if err != nil {
		return nil, nil, err
	}
	return api.NewClient(url, token), cfg, nil
}

// target says where the node's API is, and with what token.
func (c *connection) target() (*node.Config, string, string, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, "", "", err
	}
	if c.tokenFile != "" {
		cfg.APIToken = c.tokenFile
	}
	token, err := cfg.Token()
	if err != nil {
		return nil, "", "", err
	}
	url := c.url
	if url == "" {
		url = os.Getenv(nodeVariable)
	}
	if url == "" {
		url, err = node.RunningURL(cfg.Home)
	}
	return &cfg, url, token, err
}

// ledger is a node's ledger as wallets see it. Rate replaces the least fee rate if it is higher.
type ledger struct {
	client *api.Client
	rate   uint64
}

var _ wallet.Ledger = (*ledger)(nil)

// Env implements wallet.Ledger.
func (l *ledger) Env(ctx context.Context) (wallet.Env, error) {
	e, err := l.client.Env(ctx)
	if err != nil {
		return wallet.Env{}, err
	}
	id, err := parseHash(e.Chain)
	if err != nil {
		return wallet.Env{}, fmt.Errorf("answer of the node: chain %w", err)
	}
	tip, err := parseHash(e.Tip)
	if err != nil {
		return wallet.Env{}, fmt.Errorf("answer of the node: tip %w", err)
	}
	return wallet.Env{
		Tip: tip, Env: chain.Env{Chain: id, Height: e.Height, Now: e.Now}, FeeRate: max(e.FeeRate, l.rate), Maturity: e.Maturity,
	}, nil
}

// Unspent implements wallet.Ledger.
func (l *ledger) Unspent(ctx context.Context, lock chain.Hash, visit func(chain.UTXO) bool) error {
	return outputs(ctx, l.client, api.RoleLock, lock.String(), func(o *api.Output) (bool, error) {
		u, err := o.UTXO()
		return err == nil && visit(u), err
	})
}

// Output implements wallet.Ledger.
func (l *ledger) Output(ctx context.Context, o chain.Outpoint) (chain.UTXO, bool, error) {
	out, err := l.client.Output(ctx, o)
	if notFound(err) || err == nil && !out.Unspent {
		return chain.UTXO{}, false, nil
	}
	if err != nil {
		return chain.UTXO{}, false, err
	}
	u, err := out.UTXO()
	return u, err == nil, err
}

// pageSize is how many outputs are asked for at a time.
const pageSize = 1000

// outputs visits all unspent outputs of a subject until visit returns false or an error.
func outputs(ctx context.Context, c *api.Client, role api.Role, id string, visit func(*api.Output) (bool, error)) error {
	ask := api.SubjectParams{Role: role, ID: id, Limit: pageSize}
	for {
		page, err := c.Outputs(ctx, ask)
		if err != nil {
			return err
		}
		for i := range page.Outputs {
			if more, err := visit(&page.Outputs[i]); !more || err != nil {
				return err
			}
		}
		if ask.From = page.Next; ask.From == "" {
			return nil
		}
	}
}

// notFound reports whether a node answered that there is no such thing.
func notFound(err error) bool {
	var answer *api.Error
	return errors.As(err, &answer) && answer.Code == api.CodeNotFound
}

func parseHash(s string) (h chain.Hash, err error) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(h) {
		return h, fmt.Errorf("%q is not a hash of 64 hexadecimal digits", s)
	}
	return chain.Hash(raw), nil
}

// parseOutpoint reads TRANSACTION:INDEX.
func parseOutpoint(s string) (o chain.Outpoint, err error) {
	id, index, _ := strings.Cut(s, ":")
	if o.Tx, err = parseHash(id); err != nil {
		return o, err
	}
	n, err := strconv.ParseUint(index, 10, 32)
	if err != nil {
		return o, fmt.Errorf("output %q is not TRANSACTION:INDEX", s)
	}
	o.Index = uint32(n)
	return o, nil
}

// parseTo returns the lock hash of an address or, for a name, of a key in the home folder.
func parseTo(c *node.Config, prefix, s string) (chain.Hash, error) {
	h, err := chain.ParseAddress(prefix, s)
	if err == nil {
		return h, nil
	}
	k, missing := keys(c).Get(s)
	if missing != nil {
		return h, fmt.Errorf("%q is neither an address of this network (%s1…) nor a key in %s: %w", s, prefix, c.Home, err)
	}
	return chain.LockHash(k.Lock()), nil
}
