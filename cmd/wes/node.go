package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/keystore"
	"github.com/weisyn/wes/node/works"
)

func newNode() *cobra.Command {
	return newNodeVerb(func(ctx context.Context, c *node.Config) ([]works.Station, error) {
		p := workplace{name: "node", dir: filepath.Join(c.Home, "work"), memory: uint64(c.JobMiB) << 20}
		return p.stations(ctx)
	})
}

// newNodeVerb is wes node with devices of a certain make.
func newNodeVerb(stations func(context.Context, *node.Config) ([]works.Station, error)) *cobra.Command {
	n := nodeVerb{stations: stations}
	c := &cobra.Command{
		Use: "node", Short: "Run a node of a network", Args: none,
		Long: `Run a node: it holds the ledger, talks to peers, and serves the API that the other commands
use, until Ctrl-C. A second Ctrl-C ends it at once; nothing is lost.

With --dev it is the only node of a network of its own, which makes a block as soon as there is
a transaction. The key that owns the coins is known to everybody: wes wallet import dev --dev.

Every setting is a flag, a variable of the environment (WES_ and its name) and a key of
config.toml in the home folder; flags win. wes node config shows what holds.

` + exitHelp,
		Example: `  wes node --dev
  wes node --network testnet --mine --threads 2 --miner-key miner
  wes node --network ours.toml --home /var/lib/wes --peers /ip4/192.0.2.1/udp/4871/quic-v1/p2p/12D3…`,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := n.load(c)
			if err != nil {
				return err
			}
			return n.run(c.Context(), cfg, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	n.bind(c)
	c.AddCommand(newNodeConfig(), newNodeID(), newNodePeers(), newNodeNetwork())
	return c
}

// none refuses arguments, the names of unknown subcommands among them.
func none(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unknown command %q; see %s --help", args[0], c.CommandPath())
	}
	return nil
}

// nodeVerb is a node's configuration on a command line.
type nodeVerb struct {
	file      string
	dev, json bool
	settings  []*nodeFlag
	stations  func(context.Context, *node.Config) ([]works.Station, error)
}

// nodeFlag is a flag for one field of the configuration.
type nodeFlag struct {
	node.Setting
	text  string
	given bool
}

var _ pflag.Value = (*nodeFlag)(nil)

// String implements pflag.Value.
func (s *nodeFlag) String() string { return s.text }

// Type implements pflag.Value.
func (s *nodeFlag) Type() string {
	if s.Kind == "switch" {
		return "bool" // shown without a value
	}
	return s.Kind
}

// Set implements pflag.Value.
func (s *nodeFlag) Set(text string) error {
	s.text, s.given = text, true
	c := node.DefaultConfig()
	return c.Set(s.Name, text)
}

func (n *nodeVerb) bind(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	f.BoolVar(&n.dev, "dev", false, "a network of this node alone, for trying things out: --network dev --mdns=false --dht off --nat=false")
	f.StringVar(&n.file, "config", "", "file of settings, TOML (default: config.toml in the home folder, which need not exist)")
	f.BoolVar(&n.json, "json", false, "write the log, and where the node listens, as JSON: --log-format json")
	for _, s := range node.Settings() {
		v := &nodeFlag{Setting: s, text: s.Default}
		n.settings = append(n.settings, v)
		flag := f.VarPF(v, s.Flag, "", s.Doc)
		if s.Kind == "switch" {
			flag.NoOptDefVal = "true"
		}
	}
}

// load puts together what flags, environment, file and defaults say.
func (n *nodeVerb) load(c *cobra.Command) (node.Config, error) {
	if network := n.given("network"); n.dev && network != "" && network != "dev" {
		return node.Config{}, fmt.Errorf("--dev and --network %s contradict each other; see %s --help", network, c.CommandPath())
	}
	return n.settled()
}

// given is the text of a flag; empty if it was not given.
func (n *nodeVerb) given(name string) string {
	for _, s := range n.settings {
		if s.Name == name && s.given {
			return s.text
		}
	}
	return ""
}

// settled reads all sources of settings.
func (n *nodeVerb) settled() (node.Config, error) {
	flags := map[string]string{}
	if n.dev {
		for name, text := range map[string]string{"network": "dev", "mdns": "false", "dht": "off", "nat": "false"} {
			flags[name] = text
		}
	}
	if n.json {
		flags["log_format"] = "json"
	}
	for _, s := range n.settings {
		if s.given {
			flags[s.Name] = s.text
		}
	}
	return node.Load(node.Sources{File: n.file, Env: os.LookupEnv, Flags: flags})
}

func (n *nodeVerb) run(ctx context.Context, cfg node.Config, stdout, stderr io.Writer) error {
	log := cfg.Logger(stderr)
	own, err := node.Open(ctx, cfg, node.Options{
		Version: release(), Log: log, Registry: registry(),
		Key:      func(_ context.Context, name string) (node.Signer, error) { return unlockKey(&cfg, stderr, name) },
		Stations: n.stations,
	})
	if err != nil {
		return err
	}
	if err := announce(stdout, own, &cfg); err != nil {
		return errors.Join(err, own.Close())
	}
	told, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { sayNowAndThen(told, log, own) })
	beside.Go(func() { n.reloadOnSignal(told, log, own) })
	err = own.Run(ctx)
	stop()
	beside.Wait()
	return errors.Join(err, own.Close())
}

// registry has the metrics of the runtime and of the process: memory, goroutines, open files.
func registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// reloadOnSignal reads the settings again at every SIGHUP, until ctx ends.
func (n *nodeVerb) reloadOnSignal(ctx context.Context, log *slog.Logger, own *node.Node) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
		}
		cfg, err := n.settled()
		if err == nil {
			_, err = own.Reload(cfg)
		}
		if err != nil {
			log.Error("settings are as they were", "error", err)
		}
	}
}

// unlockKey unlocks a key of the node's own.
func unlockKey(cfg *node.Config, stderr io.Writer, name string) (*keystore.Signer, error) {
	p := passphrase{file: cfg.Passphrase}
	s, err := keys(cfg).Unlock(name, p.existing(stderr, name))
	return s, err
}

// announce says where the node can be reached.
func announce(w io.Writer, own *node.Node, cfg *node.Config) error {
	n := own.Network()
	if cfg.LogFormat == "json" {
		return printJSON(w, map[string]any{
			"network": n.Name, "chain": n.Chain().String(), "home": cfg.Home, "api": own.URL(), "addresses": own.Addresses(),
		})
	}
	url := own.URL()
	if url == "" {
		url = "off"
	}
	rows := [][]string{{"network", n.Name + ", chain " + n.Chain().String()}, {"home", cfg.Home}, {"API", url}}
	for _, a := range own.Addresses() {
		rows = append(rows, []string{"peer address", a})
	}
	return table(w, rows)
}

// reportEvery is how often a running node says how it is.
const reportEvery = 30 * time.Second

// sayNowAndThen logs a line of status now and then, until ctx ends.
func sayNowAndThen(ctx context.Context, log *slog.Logger, own *node.Node) {
	every := time.NewTicker(reportEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		s := own.Status()
		args := []any{
			"height", s.Chain.Height, "headers", s.Chain.Headers, "tip", s.Chain.Tip, "peers", s.Peers, "mempool", s.Mempool.Transactions,
		}
		if reasons := own.Ready(); len(reasons) > 0 {
			args = append(args, "not_ready", strings.Join(reasons, "; "))
		}
		log.Info("status", args...)
	}
}

func newNodeID() *cobra.Command {
	var h home
	c := &cobra.Command{
		Use: "id", Short: "Print the name that peers know the node by", Args: arguments(),
		Long: `Print the name that peers know the node of the home folder by: what follows /p2p/ in its addresses.
It is made if the node has never run, so that --peers of other nodes and --bootstrap of a new network
can name it.`,
		Example: "  wes node id --home /var/lib/wes",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := h.config()
			if err != nil {
				return err
			}
			name, err := node.Identity(cfg.Home)
			if err != nil {
				return err
			}
			if h.json {
				return printJSON(c.OutOrStdout(), map[string]string{"peer": name})
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), name)
			return err
		},
	}
	h.bind(c)
	return c
}

func newNodePeers() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "peers", Short: "List the peers of a running node", Args: arguments(), Example: "  wes node peers",
		RunE: func(c *cobra.Command, _ []string) error {
			client, _, err := v.open()
			if err != nil {
				return err
			}
			all, err := client.Peers(c.Context())
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), map[string]any{"peers": all})
			}
			rows := [][]string{{"PEER", "ADDRESS", "AGENT", "DIRECTION"}}
			for _, p := range all {
				direction := "outbound"
				if p.Inbound {
					direction = "inbound"
				}
				rows = append(rows, []string{p.Name, strings.Join(p.Addresses, " "), p.Agent, direction})
			}
			return table(c.OutOrStdout(), rows)
		},
	}
	v.bind(c)
	return c
}
