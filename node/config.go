package node

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/mempool"
	"github.com/weisyn/wes/chain/ures"
)

// Config is what an operator decides about one node. The tag doc of a field, its zero value's
// meaning included, is its documentation everywhere: here, in --help and in docs/config.md.
type Config struct {
	Home    string `toml:"-" name:"home" doc:"folder of the node's files; default .wes in the user's home folder"`
	Network string `toml:"network" doc:"name of a built-in network (dev, testnet), or file of a definition"`

	Listen    []string `toml:"listen" doc:"multiaddresses to listen on for peers; default port 4871, UDP (QUIC) and TCP, of all interfaces, or any port of the loopback interface on a dev network"`
	Announce  []string `toml:"announce" doc:"multiaddresses that are told to peers in place of those listened on"`
	Peers     []string `toml:"peers" doc:"multiaddresses of peers to stay connected to, beside those of the network's definition"`
	MDNS      bool     `toml:"mdns" doc:"find peers on the local network"`
	DHT       string   `toml:"dht" doc:"find peers by the network's DHT: off, client, server or auto"`
	NAT       bool     `toml:"nat" doc:"map ports, find out reachability and punch holes"`
	PeersLow  int      `toml:"peers_low" doc:"number of connections below which none is closed"`
	PeersHigh int      `toml:"peers_high" doc:"number of connections above which the least useful are closed"`

	API      string   `toml:"api" doc:"host and port of the API; empty is off, port 0 is any. An address other than loopback needs api_token"`
	APIToken string   `toml:"api_token" doc:"file with the token that the API asks for; default none on loopback"`
	APICert  string   `toml:"api_cert" doc:"file with the TLS certificate of the API, PEM"`
	APIKey   string   `toml:"api_key" doc:"file with the TLS key of the API, PEM"`
	APIHosts []string `toml:"api_hosts" doc:"names under which browsers may reach the API, beside localhost"`

	Mine       bool   `toml:"mine" doc:"make blocks"`
	Threads    int    `toml:"threads" doc:"goroutines that search for nonces; 0 is one for each CPU"`
	MinerKey   string `toml:"miner_key" doc:"name of the key in the key folder that signs blocks of a consortium, and is paid unless pay_to says otherwise"`
	PayTo      string `toml:"pay_to" doc:"address that is paid the fees of blocks made here"`
	Passphrase string `toml:"passphrase_file" doc:"file with the passphrase of miner_key and market_key"`

	Workers    int      `toml:"workers" doc:"goroutines that validate one block; 0 is one for each CPU"`
	Archive    bool     `toml:"archive" doc:"keep attachments of all blocks, not only of the last 8,640"`
	MempoolMiB int      `toml:"mempool_mib" doc:"bound of the transactions that wait for a block, with attachments, in MiB"`
	MinFeeRate uint64   `toml:"min_fee_rate" doc:"least fee rate taken and mined, in base units for 1,000 units of weight"`
	AcceptFees []string `toml:"accept_fees" doc:"tokens whose fees count, as TOKEN=WORTH/PER: WORTH base units of WES for PER base units of it"`
	ProofCache int      `toml:"proof_cache" doc:"number of proofs that are remembered as valid"`

	ResourcesGiB int `toml:"resources_gib" doc:"bound of the resources kept, in GiB"`
	ReplicasGiB  int `toml:"replicas_gib" doc:"part of it for resources that other nodes ask to keep, in GiB"`

	MarketKey        string   `toml:"market_key" doc:"name of the key in the key folder that buys, sells and is paid in the market; empty: the node takes no part in it. A node that runs can spend what the key holds"`
	MaxPrice         uint64   `toml:"max_price" doc:"highest price that a job of the API may have, royalty included, in base units; it holds where a request names none"`
	ChannelCap       uint64   `toml:"channel_cap" doc:"what a payment channel holds, in base units, that is opened ahead with operators of small jobs; 0: every job has an escrow of its own"`
	ChannelHours     int      `toml:"channel_hours" doc:"for how long a channel is opened, in hours; what is not spent comes back then at the latest"`
	Models           []string `toml:"models" doc:"names of models for the API, as NAME=CID, beside those of the ledger"`
	Sell             bool     `toml:"sell" doc:"execute and prove jobs of others for money"`
	Work             bool     `toml:"work" doc:"with sell: use the devices of this machine; off where workers on other machines do everything"`
	Serve            []string `toml:"serve" hot:"yes" doc:"CIDs of the models that are sold, or any: whatever is kept here or asked for"`
	Posted           bool     `toml:"posted" doc:"take jobs at the advertised price, without a question before"`
	PriceMinimum     uint64   `toml:"price_minimum" hot:"yes" doc:"least price of a job, in base units"`
	PricePerUnit     uint64   `toml:"price_per_unit" hot:"yes" doc:"price of 1,000,000 units of work, in base units; wes ai inspect shows the units of a model"`
	PricePerMiB      uint64   `toml:"price_per_mib" hot:"yes" doc:"price of each MiB of memory that a job takes, in base units"`
	Prices           []string `toml:"prices" hot:"yes" doc:"prices of single models in base units, as CID=PRICE, in place of all that"`
	PriceScript      string   `toml:"price_script" hot:"yes" doc:"program that is asked for the price of each model: JSON on its standard input, {\"price\": N} on its output; see docs/operator.md"`
	RiskCap          uint64   `toml:"risk_cap" doc:"price in base units up to which a result is delivered before a block has the escrow; up to 10 and 100 times as much it takes 2 and 6 blocks, above that 30"`
	JobMiB           int      `toml:"job_mib" doc:"memory that a job may take on this machine's CPU, in MiB; 0 is three quarters of what is free at the start"`
	ProgramMiB       int      `toml:"program_mib" doc:"largest model that is fetched, in MiB"`
	StallSeconds     int      `toml:"stall_seconds" doc:"how long a job may make no progress before it is given to another worker"`
	QueueListen      string   `toml:"queue_listen" doc:"host and port at which workers of other machines take jobs; empty: none can. An address other than loopback needs queue_token"`
	QueueToken       string   `toml:"queue_token" doc:"file with the token that such workers show"`
	QueueURL         string   `toml:"queue_url" doc:"URL of a NATS cluster with JetStream that holds the queue, in place of the one in this process"`
	QueueCredentials string   `toml:"queue_credentials" doc:"credentials file for queue_url"`
	QueueCert        string   `toml:"queue_cert" doc:"file with the TLS certificate of queue_listen, or of the client of queue_url, PEM"`
	QueueKey         string   `toml:"queue_key" doc:"file with its TLS key, PEM"`
	QueueCA          string   `toml:"queue_ca" doc:"file with the certificates that the other side of the queue is trusted by, PEM"`

	LogLevel  string `toml:"log_level" doc:"least level logged: debug, info, warn or error"`
	LogFormat string `toml:"log_format" doc:"text or json"`
}

// DefaultConfig returns the configuration of a node of which nothing was said.
func DefaultConfig() Config {
	return Config{
		Network: "testnet", DHT: "auto", MDNS: true, NAT: true, PeersLow: 32, PeersHigh: 96,
		API:        "127.0.0.1:4872",
		MempoolMiB: 128, MinFeeRate: 1000, ProofCache: 1 << 16,
		ResourcesGiB: 20, ReplicasGiB: 2,
		MaxPrice: chain.Unit / 10, ChannelHours: 24, Work: true, Serve: []string{serveAny}, PriceMinimum: 10_000, PricePerUnit: 20_000, RiskCap: chain.Unit / 10,
		ProgramMiB: 512, StallSeconds: 600,
		LogLevel: "info", LogFormat: "text",
	}
}

// SettingError is a setting that cannot be used.
type SettingError struct {
	Setting string // as in a file
	Problem string
}

func (e *SettingError) Error() string {
	return fmt.Sprintf("setting %s: %s", e.Setting, e.Problem)
}

// validate fills what defaults to something of this machine, and refuses what cannot work.
func (c *Config) validate() error {
	if err := c.placeHome(); err != nil {
		return err
	}
	c.Threads, c.Workers = cmp.Or(c.Threads, runtime.GOMAXPROCS(0)), cmp.Or(c.Workers, runtime.GOMAXPROCS(0))
	for _, check := range []func() error{c.checkWords, c.checkRanges, c.checkAPI, c.checkMarket} {
		if err := check(); err != nil {
			return err
		}
	}
	_, err := c.prices()
	return err
}

// placeHome resolves the home folder.
func (c *Config) placeHome() error {
	if c.Home == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return &SettingError{"home", "no user's home folder is known: name one"}
		}
		c.Home = filepath.Join(user, ".wes")
	}
	home, err := filepath.Abs(c.Home)
	if err != nil {
		return &SettingError{"home", err.Error()}
	}
	c.Home = home
	return nil
}

func (c *Config) checkWords() error {
	for _, w := range []struct {
		setting, value string
		words          []string
	}{
		{"dht", c.DHT, []string{"off", "client", "server", "auto"}},
		{"log_level", c.LogLevel, []string{"debug", "info", "warn", "error"}},
		{"log_format", c.LogFormat, []string{"text", "json"}},
	} {
		if !slices.Contains(w.words, w.value) {
			return &SettingError{w.setting, fmt.Sprintf("%q is none of %s", w.value, strings.Join(w.words, ", "))}
		}
	}
	return nil
}

func (c *Config) checkRanges() error {
	for _, r := range []struct {
		setting          string
		value, low, high int
	}{
		{"threads", c.Threads, 1, 1024},
		{"workers", c.Workers, 1, 1024},
		{"mempool_mib", c.MempoolMiB, 1, 1 << 20},
		{"proof_cache", c.ProofCache, 1, 1 << 24},
		{"peers_low", c.PeersLow, 1, 1 << 16},
		{"peers_high", c.PeersHigh, c.PeersLow, 1 << 16},
		{"resources_gib", c.ResourcesGiB, 1, 1 << 20},
		{"replicas_gib", c.ReplicasGiB, 0, c.ResourcesGiB},
		{"job_mib", c.JobMiB, 0, 1 << 24},
		{"program_mib", c.ProgramMiB, 1, 4 << 10},
		{"channel_hours", c.ChannelHours, 2, 365 * 24},
		{"stall_seconds", c.StallSeconds, 1, 7 * 86_400},
	} {
		if r.value < r.low || r.value > r.high {
			return &SettingError{r.setting, fmt.Sprintf("%d is not in %d to %d", r.value, r.low, r.high)}
		}
	}
	return nil
}

func (c *Config) checkAPI() error {
	if (c.APICert == "") != (c.APIKey == "") {
		return &SettingError{"api_cert", "a certificate needs api_key, and a key needs api_cert"}
	}
	if c.API == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.API)
	if err != nil {
		return &SettingError{"api", fmt.Sprintf("%q is not host:port", c.API)}
	}
	if !loopback(host) && c.APIToken == "" {
		return &SettingError{"api", fmt.Sprintf("others can reach %s: name the file of a token with api_token, or listen on 127.0.0.1", c.API)}
	}
	return nil
}

// checkMarket refuses settings of the market that need others.
func (c *Config) checkMarket() error {
	switch {
	case c.Sell && c.MarketKey == "":
		return &SettingError{"sell", "who is to be paid? Name a key with market_key"}
	case c.QueueListen != "" && c.QueueURL != "":
		return &SettingError{"queue_listen", "the queue is at queue_url: workers go there"}
	}
	if _, err := c.fixedPrices(); err != nil {
		return err
	}
	if _, err := c.aliases(); err != nil {
		return err
	}
	for _, s := range c.Serve {
		if s != serveAny {
			if _, err := ures.ParseCID(s); err != nil {
				return &SettingError{"serve", err.Error()}
			}
		}
	}
	return nil
}

// aliases reads the setting models.
func (c *Config) aliases() (map[string]string, error) {
	all := map[string]string{}
	for _, s := range c.Models {
		name, cid, _ := strings.Cut(s, "=")
		if _, err := ures.ParseCID(cid); err != nil || name == "" {
			return nil, &SettingError{"models", fmt.Sprintf("%q is not NAME=CID", s)}
		}
		all[name] = cid
	}
	return all, nil
}

// loopback reports whether only this machine reaches the host.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// prices reads AcceptFees.
func (c *Config) prices() (map[chain.TokenID]mempool.Price, error) {
	all := map[chain.TokenID]mempool.Price{}
	for _, s := range c.AcceptFees {
		token, price, err := parsePrice(s)
		if err != nil {
			return nil, &SettingError{"accept_fees", fmt.Sprintf("%q is not TOKEN=WORTH/PER: %v", s, err)}
		}
		all[token] = price
	}
	return all, nil
}

func parsePrice(s string) (token chain.TokenID, p mempool.Price, err error) {
	name, rest, _ := strings.Cut(s, "=")
	worth, per, _ := strings.Cut(rest, "/")
	if token, err = parseHash(name); err != nil {
		return token, p, err
	}
	if p.Worth, err = strconv.ParseUint(worth, 10, 64); err != nil {
		return token, p, err
	}
	if p.Per, err = strconv.ParseUint(per, 10, 64); err == nil && p.Per == 0 {
		err = strconv.ErrRange
	}
	return token, p, err
}
