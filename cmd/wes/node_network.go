package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node"
)

func newNodeNetwork() *cobra.Command {
	return group("network", "Define networks of your own", newNetworkNew(), newNetworkShow())
}

// networkFlags are what a new network is made of.
type networkFlags struct {
	home
	out, name, prefix, profile, bits string
	miners, funds, bootstrap, params []string
	spacing, heartbeat               time.Duration
}

func newNetworkNew() *cobra.Command {
	var n networkFlags
	c := &cobra.Command{
		Use: "new NAME", Short: "Define a network", Args: arguments("NAME"),
		Long: `Define a network, in a file that all its nodes get with --network FILE. The profiles are

  consortium  only the listed miners make blocks, which are empty at most once a minute
  public      whoever does the work makes blocks
  dev         blocks are made when there is a transaction; for one machine

The whole supply is paid by the genesis block: --fund ADDRESS=AMOUNT, or ADDRESS=AMOUNTxCOUNT
for that many outputs, so that as many payments can be under way at once. A key of the home
folder may be named in place of an address.`,
		Example: `  wes wallet new alice
  wes node network new ours --miner alice --fund alice=1000000x100 --out ours.toml
  wes node --network ours.toml --mine --miner-key alice`,
		RunE: func(c *cobra.Command, args []string) error {
			n.name = args[0]
			cfg, err := n.config()
			if err != nil {
				return err
			}
			made, err := n.define(&cfg)
			if err != nil {
				return err
			}
			return n.write(c.OutOrStdout(), made)
		},
	}
	n.bind(c)
	return c
}

func (n *networkFlags) bind(c *cobra.Command) {
	n.home.bind(c)
	f := c.Flags()
	f.StringVar(&n.out, "out", "", "file of the definition (default: standard output)")
	f.StringVar(&n.profile, "profile", "consortium", "consortium, public or dev")
	f.StringVar(&n.prefix, "prefix", chain.TestPrefix, "of addresses: "+chain.MainPrefix+", or "+chain.TestPrefix+" where coins have no price")
	f.StringArrayVar(&n.miners, "miner", nil, "public key, or name of a key, that makes blocks of a consortium; once for each")
	f.StringArrayVar(&n.funds, "fund", nil, "ADDRESS=AMOUNT or ADDRESS=AMOUNTxCOUNT, in WES; once for each")
	f.StringVar(&n.bits, "bits", "", "compact target of the first block, 8 hexadecimal digits (default: 1e00ffff if public, else 207fffff, no work)")
	f.DurationVar(&n.spacing, "spacing", 0, "between blocks (default: 10s if public, else 1s)")
	f.DurationVar(&n.heartbeat, "heartbeat", 0, "age of the last block at which a consortium makes an empty one (default: 1m)")
	f.StringArrayVar(&n.bootstrap, "bootstrap", nil, "multiaddress of a peer that new nodes begin with; once for each")
	f.StringArrayVar(&n.params, "param", nil, "NAME=VALUE of a number of the rules, as maturity=10; once for each")
}

// define makes the definition and has it checked.
func (n *networkFlags) define(cfg *node.Config) (*node.Network, error) {
	d := &node.Network{
		Name: n.name, Prefix: n.prefix, Profile: n.profile, Time: uint64(time.Now().UnixMilli()), Bits: n.bits,
		Spacing: uint64(n.spacing.Milliseconds()), Heartbeat: uint64(n.heartbeat.Milliseconds()), Bootstrap: n.bootstrap,
	}
	n.fill(d)
	for _, m := range n.miners {
		k, err := minerOf(cfg, m)
		if err != nil {
			return nil, fmt.Errorf("--miner: %w", err)
		}
		d.Miners = append(d.Miners, hex.EncodeToString(k[:]))
	}
	for _, s := range n.funds {
		o, err := fund(cfg, n.prefix, s)
		if err != nil {
			return nil, fmt.Errorf("--fund: %w", err)
		}
		d.Outputs = append(d.Outputs, o)
	}
	if len(d.Outputs) == 0 {
		return nil, fmt.Errorf("nobody would have anything: say --fund ADDRESS=AMOUNT")
	}
	if err := n.addParams(d); err != nil {
		return nil, err
	}
	text, err := d.Encode()
	if err != nil {
		return nil, err
	}
	return node.DecodeNetwork("of these flags", text)
}

// fill sets what the profile decides.
func (n *networkFlags) fill(d *node.Network) {
	bits, spacing := "207fffff", uint64(1000)
	if n.profile == "public" {
		bits, spacing = "1e00ffff", 10_000
	}
	if d.Bits == "" {
		d.Bits = bits
	}
	if d.Spacing == 0 {
		d.Spacing = spacing
	}
}

func (n *networkFlags) addParams(d *node.Network) error {
	for _, s := range n.params {
		name, text, _ := strings.Cut(s, "=")
		v, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("--param %q: want NAME=NUMBER", s)
		}
		if d.Params == nil {
			d.Params = map[string]uint64{}
		}
		d.Params[name] = v
	}
	return nil
}

// minerOf returns the public key that a miner is named by.
func minerOf(cfg *node.Config, s string) (chain.PublicKey, error) {
	if h, err := parseHash(s); err == nil {
		return chain.PublicKey(h), nil
	}
	k, err := keys(cfg).Get(s)
	return k.Public, err
}

// fund reads ADDRESS=AMOUNTxCOUNT.
func fund(cfg *node.Config, prefix, s string) (o node.GenesisOutput, err error) {
	who, text, _ := strings.Cut(s, "=")
	amount, count, many := strings.Cut(text, "x")
	o.Count = 1
	if many {
		if o.Count, err = strconv.Atoi(count); err != nil {
			return o, fmt.Errorf("%q: %q is no number of outputs", s, count)
		}
	}
	if o.Amount, err = parseWES(amount); err != nil {
		return o, fmt.Errorf("%q: %w", s, err)
	}
	h, err := parseTo(cfg, prefix, who)
	o.Address = chain.FormatAddress(prefix, h)
	return o, err
}

func (n *networkFlags) write(stdout io.Writer, d *node.Network) error {
	text, err := d.Encode()
	if err != nil {
		return err
	}
	if n.out == "" {
		if n.json {
			return printJSON(stdout, map[string]any{"name": d.Name, "profile": d.Profile, "chain": d.Chain().String(), "definition": string(text)})
		}
		_, err = stdout.Write(text)
		return err
	}
	f, err := os.OpenFile(n.out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("%w; a definition is never overwritten: its chain would be another", err)
	}
	if _, err := f.Write(text); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return printNetwork(stdout, n.out, d, n.json)
}

func printNetwork(w io.Writer, file string, d *node.Network, asJSON bool) error {
	if asJSON {
		return printJSON(w, map[string]any{"file": file, "name": d.Name, "profile": d.Profile, "chain": d.Chain().String()})
	}
	return table(w, [][]string{{"network", d.Name}, {"profile", d.Profile}, {"chain", d.Chain().String()}, {"file", file}})
}

func newNetworkShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show NAME|FILE", Short: "Check a definition, and show its chain", Args: arguments("NAME|FILE"),
		Example: "  wes node network show testnet\n  wes node network show ours.toml",
		RunE: func(c *cobra.Command, args []string) error {
			d, err := node.OpenNetwork(args[0])
			if err != nil {
				return err
			}
			return printNetwork(c.OutOrStdout(), args[0], d, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
