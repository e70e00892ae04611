package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/ures"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/node/wallet"
)

// deployment is what a model or circuit is announced with.
type deployment struct {
	spending
	name, version, price string
}

func (d *deployment) bind(c *cobra.Command, what string) {
	d.spending.bind(c)
	fs := c.Flags()
	fs.StringVar(&d.name, "name", "", "name of the "+what+", for people and for jobs about it")
	fs.StringVar(&d.version, "version", "1", "version, for people")
	fs.StringVar(&d.price, "price", "0", "what every job pays you, in WES")
}

// parcel is a program as it travels.
type parcel struct {
	kind  chain.ResourceKind
	from  string // file or folder
	size  int64
	write func(io.Writer) error // the package
	key   []byte                // verifying key, as the ledger has it
}

// announce gives the package to the node, from which operators fetch it, and the key to the ledger.
func (d *deployment) announce(c *cobra.Command, x *parcel) error {
	amount, err := parseWES(d.price)
	if err != nil {
		return fmt.Errorf("--price: %w", err)
	}
	cost, ok, err := proofs.New(proofs.Config{}).KeyCost(x.kind, x.key)
	if err == nil && !ok {
		err = fmt.Errorf("%s: the ledger cannot take its verifying key of %s", x.from, size(int64(len(x.key))))
	}
	if err != nil {
		return err
	}
	r := chain.Resource{Kind: x.kind, Size: uint64(x.size), Name: d.name, Version: d.version}
	r.Price.Amount = amount
	return d.spending.run(c, func(ctx context.Context, p *payer, note *sent) (*wallet.Built, error) {
		b := newBars(c.ErrOrStderr())
		added, err := upload(ctx, p.client, x, d.name, b)
		b.finish()
		if err != nil {
			return nil, err
		}
		if r.CID, err = ures.ParseCID(added.CID); err != nil {
			return nil, fmt.Errorf("answer of the node: %w", err)
		}
		built, err := p.Publish(ctx, r, x.key, cost)
		if err == nil {
			note.Resource, note.CID = built.Tx.ID().String()+":0", added.CID
		}
		return built, err
	})
}

// upload writes a package to the node.
func upload(ctx context.Context, client *api.Client, x *parcel, name string, b *bars) (api.Added, error) {
	from, to := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		to.CloseWithError(x.write(to))
	}()
	added, err := client.AddResource(ctx, b.reading("upload", from, x.size), name)
	from.CloseWithError(io.ErrClosedPipe)
	<-done
	return added, err
}
