package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/ures"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/node/wallet"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/verify"
)

// resourceKinds are the kinds by name, in the order of chain.ResourceKind.
var resourceKinds = []string{"file", "model", "groth16", "plonk", "contract"}

// resourceFlags are what the ledger is told of a resource.
type resourceFlags struct {
	kind, name, version, price, token, key string
	size                                   uint64
}

func newResourcePublish() *cobra.Command {
	var s spending
	var r resourceFlags
	c := &cobra.Command{
		Use: "publish CID", Short: "Announce a resource on the ledger", Args: arguments("CID"),
		Long: `Announce a resource on the ledger, by the CID of its content: what it is, who owns it, and what
a job with it costs. Models and circuits come with their verifying key, so that the ledger can
check proofs: for a model the file model.wes that wes ai prove has written, for a circuit its
package, as wes prove setup or wes prove export --verifier has made it.`,
		Example: "  wes resource publish bafy… --name notes.txt --size 1200 --wait\n" +
			"  wes resource publish bafy… --kind model --key out/model.wes --name lenet --version 1 --price 0.01",
		RunE: func(c *cobra.Command, args []string) error {
			x, key, cost, err := r.resource(args[0])
			if err != nil {
				return err
			}
			return s.run(c, func(ctx context.Context, p *payer, note *sent) (*wallet.Built, error) {
				b, err := p.Publish(ctx, x, key, cost)
				if err == nil {
					note.Resource = b.Tx.ID().String() + ":0"
				}
				return b, err
			})
		},
	}
	s.bind(c)
	f := c.Flags()
	f.StringVar(&r.kind, "kind", "file", strings.Join(resourceKinds, ", "))
	f.StringVar(&r.name, "name", "", "for people")
	f.StringVar(&r.version, "version", "", "for people")
	f.Uint64Var(&r.size, "size", 0, "bytes of the content")
	f.StringVar(&r.price, "price", "0", "of a job, paid to the owner")
	f.StringVar(&r.token, "price-token", "wes", "token of the price: wes, or its 64 hexadecimal digits")
	f.StringVar(&r.key, "key", "", "model file, or package of a circuit")
	return c
}

// resource reads the flags. The key is as the ledger keeps it; cost is that of one verification.
func (f *resourceFlags) resource(text string) (x chain.Resource, key []byte, cost uint64, err error) {
	if x.CID, err = ures.ParseCID(text); err != nil {
		return x, nil, 0, fmt.Errorf("%q: %w", text, err)
	}
	kind := slices.Index(resourceKinds, f.kind)
	if kind < 0 {
		return x, nil, 0, fmt.Errorf("--kind %q: want one of %s", f.kind, strings.Join(resourceKinds, ", "))
	}
	x.Kind, x.Size, x.Name, x.Version = chain.ResourceKind(kind), f.size, f.name, f.version
	if x.Price, err = parseCoin(f.price, f.token); err != nil {
		return x, nil, 0, fmt.Errorf("--price: %w", err)
	}
	if x.Price.Amount == 0 {
		x.Price.Token = chain.TokenID{}
	}
	key, cost, err = f.verifyingKey(x.Kind)
	return x, key, cost, err
}

// verifyingKey reads the key of a model or circuit.
func (f *resourceFlags) verifyingKey(kind chain.ResourceKind) ([]byte, uint64, error) {
	proved := kind == chain.ResourceModel || kind == chain.ResourceGroth16 || kind == chain.ResourcePlonk
	switch {
	case proved && f.key == "":
		return nil, 0, fmt.Errorf("a %s needs its verifying key: --key FILE, or a package", f.kind)
	case !proved && f.key != "":
		return nil, 0, fmt.Errorf("--key: a %s has no verifying key", f.kind)
	case !proved:
		return nil, 0, nil
	}
	key, err := ledgerKey(kind, f.key)
	if err != nil {
		return nil, 0, err
	}
	cost, ok, err := proofs.New(proofs.Config{}).KeyCost(kind, key)
	if err == nil && !ok {
		err = fmt.Errorf("%s: no verifying key of a %s that the ledger can use", f.key, f.kind)
	}
	return key, cost, err
}

// ledgerKey reads a model file, or the package of a circuit, and encodes its key for the ledger.
func ledgerKey(kind chain.ResourceKind, name string) ([]byte, error) {
	if kind != chain.ResourceModel {
		return circuitKey(resourceKinds[kind], name)
	}
	raw, err := readFile(name)
	if err != nil {
		return nil, err
	}
	m, err := verify.DecodeModel(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return proofs.EncodeModel(m), nil
}

func circuitKey(scheme, dir string) ([]byte, error) {
	p, err := circuit.Open(dir)
	if err != nil {
		return nil, err
	}
	k, err := p.VerifyingKey()
	if err != nil {
		return nil, err
	}
	if k.SchemeName() != scheme {
		return nil, fmt.Errorf("%s: a package of %s, not of %s", dir, k.SchemeName(), scheme)
	}
	return proofs.EncodeCircuit(k), nil
}

func newResourceShow() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "show CID|OUTPUT", Short: "Show what the ledger says of a resource", Args: arguments("CID|OUTPUT"),
		Long: `Show what the ledger says of a resource, by the CID of its content, of which there may be several
announcements, or by the output that announces it, TRANSACTION:INDEX.`,
		Example: "  wes resource show bafy…\n  wes resource show 9b1c…:0 --json",
		RunE: func(c *cobra.Command, args []string) error {
			client, _, err := v.open()
			if err != nil {
				return err
			}
			all, err := announcements(c.Context(), client, args[0])
			if err != nil {
				return err
			}
			return printResources(c.OutOrStdout(), all, v.json)
		},
	}
	v.bind(c)
	return c
}

// announcements finds the outputs that announce a resource.
func announcements(ctx context.Context, client *api.Client, text string) ([]api.Output, error) {
	if o, err := parseOutpoint(text); err == nil {
		out, err := client.Output(ctx, o)
		if err == nil && out.Body["kind"] != "resource" {
			err = fmt.Errorf("output %s announces no resource", text)
		}
		return []api.Output{out}, err
	}
	cid, err := ures.ParseCID(text)
	if err != nil {
		return nil, fmt.Errorf("%q is neither TRANSACTION:INDEX nor a CID: %w", text, err)
	}
	id := sha256.Sum256(cid)
	var all []api.Output
	err = outputs(ctx, client, api.RoleContent, hex.EncodeToString(id[:]), func(o *api.Output) (bool, error) {
		all = append(all, *o)
		return true, nil
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("nobody has announced %s on this ledger: wes resource publish does", text)
	}
	return all, err
}

func printResources(w io.Writer, all []api.Output, asJSON bool) error {
	if asJSON {
		return printJSON(w, map[string]any{"announcements": all})
	}
	for i := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := printResource(w, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

func printResource(w io.Writer, o *api.Output) error {
	u, err := o.UTXO()
	if err != nil {
		return err
	}
	r, ok := u.Entry.Output.Body.(*chain.Resource)
	if !ok {
		return fmt.Errorf("answer of the node: output %s is no resource", o.Outpoint)
	}
	kind := fmt.Sprint(uint16(r.Kind))
	if int(r.Kind) < len(resourceKinds) {
		kind = resourceKinds[r.Kind]
	}
	rows := [][]string{
		{"resource", o.Outpoint},
		{"kind", kind},
		{"name", quotedOr(r.Name, "none")},
		{"version", quotedOr(r.Version, "none")},
		{"CID", hex.EncodeToString(r.CID)},
		{"size", size(int64(min(r.Size, 1<<62)))},
		{"owner", o.Address},
		{"price", price(r.Price)},
	}
	if r.Key != nil {
		rows = append(rows, []string{"verifying key", fmt.Sprintf("%s, %s, cost %d", r.Key.Hash, size(int64(r.Key.Len)), r.Key.Cost)})
	}
	return table(w, rows)
}

// quotedOr quotes what a stranger has named, so that it cannot command a terminal.
func quotedOr(s, none string) string {
	if s == "" {
		return none
	}
	return fmt.Sprintf("%q", s)
}

func price(c chain.Coin) string {
	if c.Amount == 0 {
		return "free"
	}
	return coinText(c.Token, c.Amount) + " a job"
}
