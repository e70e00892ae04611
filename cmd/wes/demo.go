package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/town"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/pipeline"
	"github.com/weisyn/wes/prover/verify"
)

func newDemo() *cobra.Command {
	var models, out string
	c := &cobra.Command{
		Use: "demo", Short: "Run a market of five processes on this machine, and show that a forgery is refused", Args: arguments(),
		Long: `Run a market on this machine: a miner, three operators and a client, each a node in a process of its
own with a temporary home. A trained model is announced; operators bid for handwritten digits; one
of them reads them and proves it; every node checks the proof; the ledger pays. Then a forged result
is refused. It ends by itself and leaves nothing running.`,
		RunE: func(c *cobra.Command, _ []string) error {
			d := demo{w: c.OutOrStdout(), models: models, out: out}
			return d.run(c.Context())
		},
	}
	c.Flags().StringVar(&models, "models", "testdata/models", "folder with digits_lenet.onnx and its input")
	c.Flags().StringVar(&out, "out", "build/demo", "folder for the model file, proof and output")
	return c
}

// demo is the main job: a network that reads handwritten digits for money.
type demo struct {
	w           io.Writer
	models, out string
	town        *town.Town
	client      *town.Node
}

// operators of the demonstration, with their least prices in base units.
func operators() [][2]string {
	return [][2]string{{"ann", "200000"}, {"bob", "240000"}, {"eve", "280000"}}
}

// open starts the town and shows who lives there.
func (d *demo) open(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := town.Config{
		Program: []string{self}, Spacing: 500 * time.Millisecond, Heartbeat: 2 * time.Second, Funds: "10x10",
		Parties: []town.Party{{Name: "client"}},
	}
	prices := map[string]string{}
	for _, o := range operators() {
		prices[o[0]] = baseUnits(o[1])
		c.Parties = append(c.Parties, town.Party{Name: o[0], Settings: []string{"--sell", "--price-minimum", o[1]}})
	}
	if d.town, err = town.Open(ctx, c); err != nil {
		return err
	}
	d.client = d.town.Node("client")
	rows := [][]string{{"NODE", "PROCESS", "API", "LEAST PRICE"}}
	for _, n := range append([]*town.Node{d.town.Miner}, d.town.Parties...) {
		rows = append(rows, []string{n.Name, strconv.Itoa(n.PID()), n.URL(), prices[n.Name]})
	}
	if err := table(d.w, rows); err != nil {
		return err
	}
	return d.town.Operators(ctx, d.client, len(operators()), 0)
}

func (d *demo) run(ctx context.Context) (err error) {
	model, input := filepath.Join(d.models, "digits_lenet.onnx"), filepath.Join(d.models, "digits_lenet.input.json")
	if err := readable(model); err != nil {
		return fmt.Errorf("%w; run it in the source folder, or name one with --models", err)
	}
	inputs, err := readTensors(input)
	if err != nil {
		return err
	}
	d.say("1. A network: one miner, three operators with prices of their own, and a client. Each is a process.")
	if err := d.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.town.Close()) }()
	before, err := d.balances(ctx)
	if err != nil {
		return err
	}
	if err := d.deploy(ctx, model, input); err != nil {
		return err
	}
	x, key, proof, err := d.infer(ctx, inputs)
	if err != nil {
		return err
	}
	if err := d.paid(ctx, x, before); err != nil {
		return err
	}
	return d.forgery(x, key, proof, inputs)
}

func (d *demo) say(text string) { fmt.Fprintf(d.w, "\n%s\n\n", text) }

// deploy announces the model and waits until operators offer it.
func (d *demo) deploy(ctx context.Context, model, input string) error {
	d.say("2. The client announces a trained model: weights go to whoever wants to run it, the verifying key to the ledger.")
	args := []string{"ai", "deploy", model, "--name", "digits", "--input", input, "--wait"}
	fmt.Fprintf(d.w, "$ wes %s\n", strings.Join(args, " "))
	out, err := d.client.Run(ctx, args...)
	if err == nil {
		_, err = d.w.Write(out)
	}
	return err
}

// infer has the digits read, and shows how the job comes about.
func (d *demo) infer(ctx context.Context, inputs []tensor.Tensor) (x *inferred, key, proof []byte, err error) {
	d.say(fmt.Sprintf("3. It asks for %d handwritten digits of 8 × 8 pixels to be read, for 0.01 WES at most.", inputs[0].Shape[0]))
	draw(d.w, inputs[0])
	client := d.client.Market()
	f := inferFlags{model: "digits", level: "zk", maxPrice: "0.01"}
	f.connection.url, f.dir = d.client.URL(), d.client.Home
	m, err := client.Model(ctx, "digits")
	if err != nil {
		return nil, nil, nil, err
	}
	r, err := f.request(m, inputs)
	if err != nil {
		return nil, nil, nil, err
	}
	begun := time.Now()
	j, err := client.Submit(ctx, r)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := d.watch(ctx, client, j.ID, begun); err != nil {
		return nil, nil, nil, err
	}
	if err := d.bids(ctx, client, j.ID); err != nil {
		return nil, nil, nil, err
	}
	if j, err = client.Job(ctx, j.ID); err != nil {
		return nil, nil, nil, err
	}
	x = &inferred{Job: j, TotalMS: float64(time.Since(begun).Microseconds()) / 1000}
	f.out = d.out
	if err := f.check(ctx, client, m, inputs, x); err != nil {
		return nil, nil, nil, err
	}
	if key, err = client.Key(ctx, m.Resource); err == nil {
		proof, err = client.Proof(ctx, j.ID)
	}
	d.say("4. The client checks the proof itself, without running the model:")
	if err == nil {
		err = f.print(d.w, m, x)
	}
	if err == nil {
		fmt.Fprintln(d.w)
		answers(d.w, inputs[0], x.Outputs[0])
	}
	return x, key, proof, err
}

// watch prints what becomes of a job until its proof was checked by the client's node.
func (d *demo) watch(ctx context.Context, client *gateway.Client, id string, begun time.Time) error {
	last := ""
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for j, err := range client.Watch(ctx, id) {
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%-10s %-8s %-9s %s", j.Assignment, j.Execution, j.Settlement, j.Stage)
		if j.ProofStatus == gateway.ProofVerified {
			line += " proof verified"
		}
		if line != last {
			fmt.Fprintf(d.w, "%7.3f s  %s\n", time.Since(begun).Seconds(), strings.TrimSpace(line))
			last = line
		}
		if j.ProofStatus == gateway.ProofVerified {
			return nil
		}
		if j.Ended || j.ProofStatus == gateway.ProofRefused {
			return jobFailure(ctx, client, &j)
		}
	}
	return errors.New("the node says no more of the job")
}

func (d *demo) bids(ctx context.Context, client *gateway.Client, id string) error {
	all, err := client.Bids(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintln(d.w)
	rows := [][]string{{"BID OF", "PRICE", "PROMISES", "CHOSEN"}}
	for _, b := range all {
		chosen := ""
		if b.Chosen {
			chosen = "yes"
		}
		rows = append(rows, []string{d.name(b.Operator), baseUnits(b.Price), fmt.Sprintf("%d ms", b.Promised), chosen})
	}
	return table(d.w, rows)
}

// name is the name of an operator's key.
func (d *demo) name(key string) string {
	if n := d.town.Node(key); n != nil {
		return n.Name
	}
	return key
}

// balances are what the parties can spend or have bound, in base units.
func (d *demo) balances(ctx context.Context) (map[string]uint64, error) {
	all := map[string]uint64{}
	for _, p := range d.town.Parties {
		s, err := p.Market().Status(ctx)
		if err != nil {
			return nil, err
		}
		for _, h := range s.Balance {
			n, err := strconv.ParseUint(h.Units, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("answer of the node: %w", err)
			}
			all[p.Name] += n
		}
	}
	return all, nil
}

// paid waits until the payment is in a block, and compares balances.
func (d *demo) paid(ctx context.Context, x *inferred, before map[string]uint64) error {
	d.say("5. The ledger pays:")
	j, err := follow(ctx, d.client.Market(), x.Job.ID, nil, isPaid)
	if err != nil {
		return err
	}
	if err := d.town.Settled(ctx, j.Height); err != nil {
		return err
	}
	after, err := d.balances(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.w, "%s in block %d, transaction %s\n\n", j.Settlement, j.Height, j.SettleTx)
	rows := [][]string{{"PARTY", "BEFORE", "AFTER", "CHANGE"}}
	for _, p := range d.town.Parties {
		name := p.Name
		change := wesText(after[name] - min(before[name], after[name]))
		if after[name] < before[name] {
			change = "-" + wesText(before[name]-after[name])
		}
		rows = append(rows, []string{name, wesText(before[name]) + " WES", wesText(after[name]) + " WES", change + " WES"})
	}
	if err := table(d.w, rows); err != nil {
		return err
	}
	_, err = fmt.Fprintln(d.w, "\nWhat the client paid beside the price are fees of the ledger, for the model and for two transactions.")
	return err
}

// forgery plays a forger, and whoever has the model file, the proof and the input.
func (d *demo) forgery(x *inferred, key, proof []byte, inputs []tensor.Tensor) error {
	was, is := top(x.Outputs[0], 0), (top(x.Outputs[0], 0)+1)%10
	d.say(fmt.Sprintf("6. A forger changes the result, so that the first digit reads %d instead of %d, and keeps the proof:", is, was))
	forged, err := forge(key, proof, was, is)
	if err != nil {
		return err
	}
	_, err = pipeline.Verify(pipeline.Claim{Model: key, Proof: forged, Inputs: inputs})
	var rejection *verify.Rejection
	if !errors.As(err, &rejection) {
		return &pipeline.Fault{Stage: pipeline.StageVerify, Err: fmt.Errorf("a forged output was not refused: %v", err)}
	}
	fmt.Fprintf(d.w, "%s, as it must be\n\n", refusal(rejection))
	sum := sha256.Sum256(key)
	_, err = fmt.Fprintf(d.w, "Model file, proof and output are in %s; the key's SHA-256 on the ledger is %s.\nCheck again with: wes ai verify --model %s --proof %s --input %s\n",
		d.out, hex.EncodeToString(sum[:]), filepath.Join(d.out, modelFile), filepath.Join(d.out, proofFile), filepath.Join(d.models, "digits_lenet.input.json"))
	return err
}

// refusal is the first line of a rejection, without the numbers.
func refusal(r *verify.Rejection) string { return "proof rejected: " + string(r.Check) }

// forge exchanges two numbers of the first row of the proven output.
func forge(key, proof []byte, a, b int) ([]byte, error) {
	m, err := verify.DecodeModel(key)
	if err != nil {
		return nil, err
	}
	f, err := verify.DecodeFile(proof, m)
	if err != nil {
		return nil, err
	}
	f.Outputs[0] = f.Outputs[0].Changed(func(row []int64) { row[a], row[b] = row[b], row[a] })
	return f.Encode(), nil
}

// drawn is how many digits are drawn, side by side.
const drawn = 5

// draw shows images.
func draw(w io.Writer, images tensor.Tensor) {
	const shades = " .:-=+*#%@"
	side := images.Shape[len(images.Shape)-1]
	n := min(drawn, images.Shape[0])
	for y := range side {
		var line strings.Builder
		for i := range n {
			line.WriteString("   ")
			for x := range side {
				v := min(max(images.Data[(i*side+y)*side+x], 0), 1)
				line.WriteString(strings.Repeat(string(shades[int(v*float64(len(shades)-1))]), 2))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
	fmt.Fprintln(w)
}

// answers writes below images what the model read them as.
func answers(w io.Writer, images, answers tensor.Tensor) {
	side := images.Shape[len(images.Shape)-1]
	for i := range min(drawn, images.Shape[0]) {
		fmt.Fprintf(w, "   %-*s", 2*side, fmt.Sprintf("read as %d", top(answers, i)))
	}
	fmt.Fprintln(w)
}

// top is the position of the largest number of a row.
func top(t tensor.Tensor, row int) int {
	n := t.Shape[len(t.Shape)-1]
	best := 0
	for i, v := range t.Data[row*n:][:n] {
		if v > t.Data[row*n+best] {
			best = i
		}
	}
	return best
}
