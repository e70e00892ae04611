package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/town"
)

// said is what a command has said.
type said struct {
	*testing.T
	command, stdout, stderr string
	code                    int
}

// verb runs a command against a node, and requires an exit code.
func (x *townTest) verb(n *town.Node, code int, args ...string) *said {
	x.Helper()
	c := exec.CommandContext(x.Context(), "wes", append(args, "--home", n.Home)...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		x.Fatal(err)
	}
	s := &said{x.T, "wes " + strings.Join(args, " "), stdout.String(), stderr.String(), c.ProcessState.ExitCode()}
	if s.code != code {
		x.Errorf("%s: exit code %d, want %d\n%s%s", s.command, s.code, code, s.stdout, s.stderr)
	}
	return s
}

// out requires standard output to match, and returns the groups.
func (s *said) out(expressions ...string) (groups []string) {
	s.Helper()
	return s.match(s.stdout, expressions)
}

// err is the same of standard error.
func (s *said) err(expressions ...string) []string {
	s.Helper()
	return s.match(s.stderr, expressions)
}

func (s *said) match(text string, expressions []string) (groups []string) {
	s.Helper()
	for _, e := range expressions {
		found := regexp.MustCompile("(?m)" + e).FindStringSubmatch(text)
		if found == nil {
			s.Fatalf("%s says\n%s%sand nothing like %s", s.command, s.stdout, s.stderr, e)
		}
		groups = append(groups, found[1:]...)
	}
	return groups
}

// json reads what was printed.
func (s *said) json(into any) {
	s.Helper()
	if err := json.Unmarshal([]byte(s.stdout), into); err != nil {
		s.Fatalf("%s: %v\n%s", s.command, err, s.stdout)
	}
}

// marketVerbs is a town with a client and two operators, of which the second takes jobs at its posted price.
type marketVerbs struct {
	*townTest
	client, operator, posted *town.Node
	queue, token             string // address of the first operator's, and the file
	input                    string
}

// TestMarketVerbs: what a client and an operator type, what they read, and with what code it ends.
func TestMarketVerbs(t *testing.T) {
	m := openMarketVerbs(t)
	for _, part := range []struct {
		name string
		run  func(*marketVerbs)
	}{
		{"nothing is offered yet", (*marketVerbs).begin},
		{"infer", (*marketVerbs).infer},
		{"infer refused", (*marketVerbs).inferRefused},
		{"jobs", (*marketVerbs).jobs},
		{"drain and resume", (*marketVerbs).cordon},
		{"prices", (*marketVerbs).reload},
		{"bonds", (*marketVerbs).bonds},
		{"workers", (*marketVerbs).workers},
		{"posted prices and replicas", (*marketVerbs).postedPrices},
	} {
		t.Run(part.name, func(t *testing.T) {
			own := *m
			own.townTest = &townTest{T: t, Town: m.Town}
			part.run(&own)
		})
	}
}

func openMarketVerbs(t *testing.T) *marketVerbs {
	m := &marketVerbs{input: "../../testdata/models/iris_mlp.input.json", queue: freeAddress(t), token: filepath.Join(t.TempDir(), "token")}
	if err := os.WriteFile(m.token, []byte("open sesame, please\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sell := []string{"--sell", "--job-mib", "256", "--price-per-unit", "0"}
	m.townTest = openTown(t, town.Config{
		Program: []string{"wes"}, Spacing: 100 * time.Millisecond, Heartbeat: 300 * time.Millisecond, Funds: "5x20",
		Parties: []town.Party{
			{Name: "client"},
			{Name: "operator", Program: []string{"wes-slow"}, Settings: append(sell, "--queue-listen", m.queue, "--queue-token", m.token)},
			{Name: "posted", Settings: append(sell, "--posted", "--price-minimum", "20000")},
		},
	})
	m.client, m.operator, m.posted = m.Node("client"), m.Node("operator"), m.Node("posted")
	return m
}

// freeAddress is one on the loopback interface that nobody listens at.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// offers waits until the client knows how many operators offer the model.
func (m *marketVerbs) offers(count int) {
	m.Helper()
	m.await(strconv.Itoa(count)+" offers", func() (bool, error) {
		all, err := m.client.Market().Operators(m.Context())
		good := 0
		for _, o := range all {
			if len(o.Prices) > 0 {
				good++
			}
		}
		return good == count, err
	})
}

// submit gives the node a job without waiting for it.
func (m *marketVerbs) submit() string {
	m.Helper()
	cid := m.verb(m.client, 0, "ai", "list").out(`^"iris" .* (\S+)$`)[0]
	j, err := m.client.Market().Submit(m.Context(), &gateway.Request{Model: cid, Inputs: tensorsIn(m.T, m.input)})
	if err != nil {
		m.Fatal(err)
	}
	return j.ID
}

func (m *marketVerbs) begin() {
	m.verb(m.posted, 0, "market", "drain").out(`^no new work is taken; all jobs have ended$`)
	m.verb(m.client, 2, "ai", "infer", "--model", "iris", "--input", m.input).
		err(`^wes: no model has the name or CID "iris"$`, `^wes: wes ai list shows .*; wes ai deploy announces one$`)
	m.verb(m.client, 0, "ai", "list").out(`^MODEL +VERSION +KIND +OFFERED`)
	m.verb(m.Miner, 2, "market", "status").err(`^wes: this node takes no part in the market`, `^wes: start it with --market-key NAME`)
	m.verb(&town.Node{Home: m.TempDir()}, 3, "job", "ls").err(`^wes: no node runs in `, `^wes: start a node with wes node`)
	m.verb(m.client, 2, "market", "drain").err(`^wes: this node sells nothing: the setting sell is off$`)
	m.verb(m.client, 0, "market", "status").out(`^selling +no$`, `^jobs bought +0 open$`, `^balance spendable +100 WES$`)
	m.verb(m.operator, 0, "market", "status").out(`^selling +yes$`, `^jobs sold +0 open; 0 tasks and 0 bids stand$`, `^device +cpu-node \(cpu-\S+\), 268 MB, idle$`)

	m.verb(m.client, 0, "ai", "deploy", "../../testdata/models/iris_mlp.onnx", "--name", "iris", "--input", m.input, "--wait").
		out(`^resource +[0-9a-f]{64}:0$`, `^CID +bafk\w+$`)
	m.verb(m.client, 0, "ai", "list").out(`^"iris" +"1" +infer +no +— +— +bafk\w+$`)
}

func (m *marketVerbs) infer() {
	// The first question makes the operator fetch the model.
	out := filepath.Join(m.TempDir(), "out")
	m.verb(m.client, 0, "ai", "infer", "--model", "iris", "--input", m.input, "--out", out, "--wait").out(
		`^model +"iris", bafk\w+$`, `^job +[0-9a-f]{64}$`, `^operator +`+m.operator.Key+` on cpu-`, `^price +0.0001 WES$`,
		`^proof +valid, verified here in [0-9.]+ ms: [0-9.]+ kB, bafk`, `^settlement +paid in block [0-9]+, transaction [0-9a-f]{64}$`,
		`^output \[16, 3\] = 4.7131 `,
	)
	files := func(name string) string { return filepath.Join(out, name) }
	verify := exec.Command("wes", "ai", "verify", "--model", files(modelFile), "--proof", files(proofFile), "--input", m.input, "--output", files(outputFile))
	if text, err := verify.CombinedOutput(); err != nil || !bytes.HasPrefix(text, []byte("valid")) {
		m.Errorf("%v\n%s", err, text)
	}
	var x inferred
	m.verb(m.client, 0, "ai", "infer", "--model", "iris", "--input", m.input, "--json").json(&x)
	if !x.Verified || len(x.Result) != 1 || len(x.Result[0].Data) != 48 || x.Job.ProofStatus != gateway.ProofVerified || x.Job.Price != "10000" {
		m.Errorf("%+v", x)
	}
	m.verb(m.client, 0, "ai", "infer", "--model", x.Job.ModelCID, "--input", m.input, "--verification", "optimistic", "--max-price", "0.001").
		out(`^proof +none: the operator's bond answers for the result$`, `^output \[16, 3\] = 4.7131 `)
	m.verb(m.client, 0, "ai", "list").out(`^"iris" +"1" +infer +yes +0.0001 WES +— +bafk\w+$`)
}

func (m *marketVerbs) inferRefused() {
	infer := func(code int, more ...string) *said {
		m.Helper()
		return m.verb(m.client, code, append([]string{"ai", "infer", "--model", "iris"}, more...)...)
	}
	infer(2).err(`^wes: --model and --input are required; see wes ai infer --help$`)
	infer(2, "--input", "nothing.json").err(`^wes: nothing.json: no such file or directory$`)
	infer(2, "--input", "../../testdata/models/digits_mlp.input.json").err(`^wes: input "input" has shape \[.*\], the model wants \[16 4\]$`)
	infer(2, "--input", m.input, "--verification", "trust").err(`^wes: verification "trust" is none of zk, optimistic, replicated:K$`)
	infer(2, "--input", m.input, "--max-price", "1e3").err(`^wes: --max-price: amount "1e3": want WES as 12 or 0.5`)
	infer(2, "--input", m.input, "--max-price", "5").
		err(`above what this node allows for a job, 10000000 base units: its own setting max_price$`, `^wes: name a lower --max-price, or start the node with a higher one$`)
	infer(2, "--input", m.input, "--max-price", "0.00000001").err(
		`^wes: the job came to nothing: operators ask for 0.0001 WES or more, at most 0.00000001 WES are allowed$`,
		`^wes: allow more with --max-price; wes job explain [0-9a-f]{64} says what operators asked for$`,
	)
	for _, text := range []string{"-1s", "1us"} {
		infer(2, "--input", m.input, "--deadline", text).err(`^wes: --deadline: want a millisecond or more$`)
	}
}

func (m *marketVerbs) jobs() {
	rows := m.verb(m.client, 0, "job", "ls").
		out(`^([0-9a-f]{64}) +"iris" +zk +closed +done +paid +accepted +0.0001 WES`, `^([0-9a-f]{64}) +"iris" +zk +closed +idle +unfunded +no_bid +—`)
	paid, nothing := rows[0], rows[1]
	m.verb(m.client, 0, "job", "show", paid).
		out(`^assignment +closed$`, `^execution +done$`, `^settlement +paid in block `, `^proof +verified bafk`, `^reason +accepted$`, `^operator +`+m.operator.Key+`$`)
	m.verb(m.client, 0, "job", "show", nothing).out(`^settlement +unfunded$`, `^price +—$`, `^proof +none$`, `^reason +no_bid$`)
	m.verb(m.client, 0, "job", "watch", paid).out(`^\S+ +closed +done +paid +accepted$`)
	m.verb(m.client, 0, "job", "explain", paid).out(`^operator [0-9a-f]{16}… has the job for 10000 base units: the best of 1 bids from [12] operators$`, `^prices? asked for +0.0001 WES`)
	m.verb(m.client, 0, "job", "explain", nothing).out(`^nobody has the job after 8 rounds: 2 operators were asked \(1 × draining, 1 × price\)`, `^`+m.operator.Key+` +price +0.0001 WES`)
	m.verb(m.client, 0, "market", "bids", paid).out(`^` + m.operator.Key + ` +0.0001 WES +[0-9]+ ms +"cpu-\S+" +[0-9]+ +yes$`)
	m.verb(m.client, 2, "job", "cancel", paid).err(`^wes: the job has ended$`)
	for _, verb := range []string{"show", "watch", "cancel", "explain"} {
		m.verb(m.client, 2, "job", verb, "12").err(`^wes: no job of this node has the id 12$`)
	}
	m.verb(m.client, 2, "job", "ls", "--limit", "0").err(`^wes: --limit 0: from 1 to 1000`)
	m.verb(m.client, 2, "job", "shwo").err(`^wes: unknown `)
	var page struct {
		Jobs []gateway.Job
		Next string
	}
	m.verb(m.client, 0, "job", "ls", "--limit", "1", "--json").json(&page)
	if len(page.Jobs) != 1 || page.Next != page.Jobs[0].ID {
		m.Errorf("%+v", page)
	}
	var lines int
	for line := range strings.Lines(m.verb(m.client, 0, "job", "watch", paid, "--json").stdout) {
		var j gateway.Job
		if err := json.Unmarshal([]byte(line), &j); err != nil || j.ID != paid {
			m.Errorf("%v: %s", err, line)
		}
		lines++
	}
	if lines != 1 {
		m.Errorf("%d lines of a job that has ended", lines)
	}
}

func (m *marketVerbs) cordon() {
	m.verb(m.client, 0, "market", "operators").out(`^OPERATOR +DEVICE`, `^`+m.operator.Key+` +"cpu-\S+" +1 +[0-9]+ +0`)
	m.verb(m.operator, 0, "market", "drain").out(`^no new work is taken; `)
	m.verb(m.operator, 0, "market", "status").out(`^selling +takes no new work$`)
	id := m.submit()
	m.verb(m.client, 0, "job", "cancel", id).out(`^reason +canceled$`)
	m.verb(m.client, 2, "ai", "infer", "--model", "iris", "--input", m.input).
		err(`^wes: the job came to nothing: nobody has the job after [0-9]+ rounds: 2 operators were asked \(2 × draining\)`, `^wes: wes job explain [0-9a-f]{64} says what operators answered$`)
	m.verb(m.operator, 0, "market", "resume", "--json").out(`"cordoned": false`)
	m.offers(1)
	m.verb(m.client, 0, "ai", "infer", "--model", "iris", "--input", m.input)
}

func (m *marketVerbs) reload() {
	config := filepath.Join(m.operator.Home, "config.toml")
	if err := os.WriteFile(config, []byte("price_minimum = 15000\n"), 0o600); err != nil {
		m.Fatal(err)
	}
	m.signal(m.operator, syscall.SIGHUP)
	m.await("the price of the file", func() (bool, error) {
		s, err := m.operator.Market().Status(m.Context())
		return err == nil && len(s.Programs) == 1 && s.Programs[0].Price == "15000", err
	})
	m.verb(m.operator, 0, "market", "status").out(`^offers +"iris" for 0.00015 WES, [0-9]+ units of work, `)
	m.verb(m.client, 0, "ai", "infer", "--model", "iris", "--input", m.input).out(`^price +0.00015 WES$`)
	if err := os.WriteFile(config, []byte("price_minimum = \"dear\"\n"), 0o600); err != nil {
		m.Fatal(err)
	}
	m.signal(m.operator, syscall.SIGHUP) // it stays as it was
	m.await("a word about the file", func() (bool, error) {
		return strings.Contains(m.operator.Log(), "settings are as they were"), nil
	})
	m.verb(m.operator, 2, "market", "status").err(`^wes: read configuration: .*config.toml, line 1: `)
	if err := os.Remove(config); err != nil {
		m.Fatal(err)
	}
	m.verb(m.operator, 0, "market", "status").out(`^offers +"iris" for 0.00015 WES, `)
	m.signal(m.operator, syscall.SIGHUP)
	m.await("the price of before", func() (bool, error) {
		s, err := m.operator.Market().Status(m.Context())
		return err == nil && len(s.Programs) == 1 && s.Programs[0].Price == "10000", err
	})
}

func (m *marketVerbs) bonds() {
	m.verb(m.operator, 2, "market", "bond", "create").err(`^wes: missing argument AMOUNT; see wes market bond create --help$`)
	m.verb(m.operator, 2, "market", "bond", "create", "x").err(`^wes: amount "x": want WES`)
	m.verb(m.operator, 2, "market", "bond", "create", "1000").err(`^wes: insufficient funds`, `^wes: needed are 1000.* WES, the fee included; spendable are `)
	m.verb(m.operator, 0, "market", "bond", "create", "5", "--wait").out(`^status +in block [0-9]+$`)
	bond := m.verb(m.operator, 0, "market", "bond", "ls").out(`^([0-9a-f]{64}:0) +5 WES +—$`)[0]
	m.verb(m.operator, 0, "market", "status").out(`^balance bonds +5 WES$`)
	m.verb(m.client, 2, "market", "bond", "release", bond).err(`^wes: `)
	m.verb(m.operator, 0, "market", "bond", "release", bond, "--wait").out(`^status +in block [0-9]+$`)
	m.verb(m.operator, 2, "market", "bond", "release", bond).err(`^wes: there is no unspent output `)
	released := m.verb(m.operator, 0, "market", "bond", "ls").out(`^([0-9a-f]{64}:0) +5 WES +(\S+ \S+)$`)
	m.verb(m.operator, 2, "market", "bond", "withdraw", released[0]).err(`^wes: the bond can be taken back from ` + released[1] + ` on$`)
	m.verb(m.operator, 2, "market", "bond", "withdraw", "x").err(`^wes: `)
}

// workers: a worker of another machine joins, is killed while it works, and its job goes on.
func (m *marketVerbs) workers() {
	url := "nats://" + m.queue
	m.verb(m.operator, 2, "market", "work").err(`unknown flag: --home`) // it belongs to no home
	work := func(more ...string) *exec.Cmd {
		return exec.CommandContext(m.Context(), "wes-slow", append([]string{"market", "work", "--dir", m.TempDir(), "--job-mib", "256"}, more...)...)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{nil, "--queue and --name are required"},
		{[]string{"--queue", url, "--name", "rack 2", "--token-file", m.token}, "worker"},
		{[]string{"--queue", url, "--name", "rack-2"}, "nats: Authorization Violation"},
		{[]string{"--queue", url, "--name", "rack-2", "--token-file", "nothing"}, "--token-file: nothing: no such file"},
	} {
		if out, err := work(c.args...).CombinedOutput(); err == nil || !bytes.Contains(out, []byte(c.says)) {
			m.Errorf("%v: %v\n%s", c.args, err, out)
		}
	}
	rack := work("--queue", url, "--name", "rack-2", "--token-file", m.token)
	if err := rack.Start(); err != nil {
		m.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- rack.Wait() }()
	m.await("the worker", func() (bool, error) {
		s, err := m.operator.Market().Status(m.Context())
		return err == nil && len(s.Devices) == 2, err
	})
	m.verb(m.operator, 0, "market", "status").out(`^device +cpu-rack-2 \(cpu-\S+\), 268 MB, idle$`)

	all := []string{m.submit(), m.submit(), m.submit(), m.submit()}
	m.await("a job of the worker", func() (bool, error) {
		s, err := m.operator.Market().Status(m.Context())
		for _, d := range s.Devices {
			if d.UUID == "cpu-rack-2" && d.Job != "" {
				return true, err
			}
		}
		return false, err
	})
	if err := rack.Process.Kill(); err != nil {
		m.Error(err)
	}
	<-ended
	for _, id := range all {
		m.verb(m.client, 0, "job", "watch", id).out(`^\S+ +closed +done +paid +accepted$`)
	}
	m.verb(m.operator, 0, "market", "status").out(`^device +cpu-node `)
	if strings.Contains(m.verb(m.operator, 0, "market", "status").stdout, "rack-2") {
		m.Error("the worker's device is still there")
	}
}

func (m *marketVerbs) postedPrices() {
	m.verb(m.posted, 0, "market", "resume").out(`^new work is taken; all jobs have ended$`)
	id := m.submit() // asked about the model, the operator looks for it
	m.verb(m.client, 0, "job", "watch", id)
	m.offers(2)
	m.verb(m.client, 0, "ai", "infer", "--model", "iris", "--input", m.input, "--verification", "replicated:2").
		out(`^proof +none: the operator's bond answers for the result$`, `^output \[16, 3\] = 4.7131 `)
	x := m.verb(m.client, 0, "ai", "infer", "--model", "iris", "--input", m.input).
		out(`^operator +([0-9a-f]{64}) on`, `^price +0.0002 WES$`, `^job +([0-9a-f]{64})$`)
	if x[0] != m.posted.Key {
		m.Errorf("the job went to %s, and not to who has posted a price", x[0])
	}
	m.verb(m.client, 0, "job", "explain", x[1]).out(`^operator [0-9a-f]{16}… has the job for 20000 base units, at its posted price$`)
	m.verb(m.client, 0, "ai", "infer", "--model", "iris", "--input", m.input, "--max-price", "0.00015").out(fmt.Sprintf(`^operator +%s on`, m.operator.Key))
}
