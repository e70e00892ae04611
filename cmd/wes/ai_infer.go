package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/pipeline"
	"github.com/weisyn/wes/prover/verify"
)

// inferFlags say what is to be inferred and what it may cost.
type inferFlags struct {
	connection
	model, input, level, maxPrice, out string
	deadline                           time.Duration
	wait                               bool
}

func newInfer() *cobra.Command {
	var f inferFlags
	c := &cobra.Command{
		Use: "infer --model NAME|CID --input FILE", Short: "Let the market run a model, and check the proof", Args: arguments(),
		Long: `Let the market run a model, and check the proof here.

The node's market key pays. Operators bid, one of them runs the model once and proves what came
out; this command verifies the proof itself, with the verifying key that the ledger has, and then
prints the result. With optimistic and replicated:K there is no proof: the operators' bonds answer
for the result.

` + exitHelp,
		Example: "  wes ai infer --model digits --input digits.json --max-price 0.01",
		RunE:    func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.bind(c)
	fs := c.Flags()
	fs.StringVar(&f.model, "model", "", "name or CID of a model, or the output that announces it")
	fs.StringVar(&f.input, "input", "", "input of the model: JSON or .npy")
	fs.StringVar(&f.level, "verification", "zk", "zk, optimistic or replicated:K")
	fs.StringVar(&f.maxPrice, "max-price", "", "highest price in WES, royalty included (default: the setting max_price of the node)")
	fs.DurationVar(&f.deadline, "deadline", 0, "how long it may take (default 10m)")
	fs.StringVar(&f.out, "out", "", "folder for the model file, proof and output, made if missing")
	fs.BoolVar(&f.wait, "wait", false, "wait until the payment is in a block")
	return c
}

// inferred is what wes ai infer prints.
type inferred struct {
	Job      *gateway.Job    `json:"job"`
	Outputs  []tensor.Tensor `json:"-"`
	Tails    []graph.Tail    `json:"-"`
	Result   []jsonTensor    `json:"outputs"`
	Verified bool            `json:"verified_here"`
	VerifyMS float64         `json:"verify_ms"`
	TotalMS  float64         `json:"total_ms"`
}

// jsonTensor is a tensor in the JSON of the Open Inference Protocol.
type jsonTensor struct {
	Name     string    `json:"name"`
	Datatype string    `json:"datatype"`
	Shape    []int     `json:"shape"`
	Data     []float64 `json:"data"`
}

func (f *inferFlags) run(c *cobra.Command) error {
	if f.model == "" || f.input == "" {
		return fmt.Errorf("--model and --input are required; see %s --help", c.CommandPath())
	}
	if f.deadline != 0 && f.deadline < time.Millisecond {
		return errors.New("--deadline: want a millisecond or more")
	}
	inputs, err := readTensors(f.input)
	if err != nil {
		return err
	}
	client, err := f.openMarket()
	if err != nil {
		return err
	}
	m, err := client.Model(c.Context(), f.model)
	if err != nil {
		return err
	}
	request, err := f.request(m, inputs)
	if err != nil {
		return err
	}
	var b *bars
	if !f.json {
		b = newBars(c.ErrOrStderr())
	}
	defer b.finish()
	x, err := f.infer(c.Context(), client, m, request, inputs, b)
	b.finish()
	if err != nil {
		return err
	}
	return f.print(c.OutOrStdout(), m, x)
}

// request is what the node is asked.
func (f *inferFlags) request(m *gateway.Model, inputs []tensor.Tensor) (*gateway.Request, error) {
	most, err := highest(f.maxPrice)
	if err != nil {
		return nil, err
	}
	r := &gateway.Request{Kind: gateway.KindInfer, Model: m.Resource, Verification: f.level, MaxPrice: most, DeadlineMS: f.deadline.Milliseconds()}
	for i := range inputs {
		t := &inputs[i]
		if t.Name == "" && len(m.Inputs) == 1 {
			t.Name = m.Inputs[0].Name
		}
		r.Inputs = append(r.Inputs, floats(t))
	}
	return r, nil
}

// highest reads --max-price, in base units for the node.
func highest(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	n, err := parseWES(text)
	if err != nil {
		return "", fmt.Errorf("--max-price: %w", err)
	}
	return strconv.FormatUint(n, 10), nil
}

// floats writes a tensor as the node's models take it.
func floats(t *tensor.Tensor) gateway.Tensor {
	out := gateway.Tensor{Name: t.Name, Datatype: "FP32"}
	for _, n := range t.Shape {
		out.Shape = append(out.Shape, int64(n))
	}
	for _, v := range t.Data {
		out.Data = binary.LittleEndian.AppendUint32(out.Data, math.Float32bits(float32(v)))
	}
	return out
}

// infer submits the job, follows it, and checks what comes.
func (f *inferFlags) infer(ctx context.Context, client *gateway.Client, m *gateway.Model, r *gateway.Request, inputs []tensor.Tensor, b *bars) (*inferred, error) {
	begun := time.Now()
	j, err := client.Submit(ctx, r)
	if err != nil {
		return nil, err
	}
	if _, err = follow(ctx, client, j.ID, b, hasOutputs); err != nil {
		return nil, err
	}
	if j, err = client.Job(ctx, j.ID); err != nil {
		return nil, err
	}
	x := &inferred{Job: j}
	if j.Level == "zk" {
		err = f.check(ctx, client, m, inputs, x)
	} else {
		x.Outputs, err = tensorsOf(j.Outputs)
		x.Tails = make([]graph.Tail, len(x.Outputs))
	}
	if err != nil {
		return nil, err
	}
	for _, t := range x.Outputs {
		x.Result = append(x.Result, jsonTensor{t.Name, t.Datatype, t.Shape, t.Data})
	}
	x.TotalMS = float64(time.Since(begun).Microseconds()) / 1000
	if f.wait {
		x.Job, err = follow(ctx, client, j.ID, b, isPaid)
	}
	return x, err
}

// executionFailed is the state of work that its operator has given up for good.
const executionFailed = "failed"

// hasOutputs reports whether the node has the outputs, and has checked what there is to check.
func hasOutputs(j *gateway.Job) bool {
	return j.ProofStatus == gateway.ProofVerified || j.ProofStatus == gateway.ProofNone && j.Times.Outputs > 0
}

// hopeless reports whether nothing comes of a job, or of this replica of it.
func hopeless(j *gateway.Job) bool {
	return j.Ended || j.Execution == executionFailed || j.ProofStatus == gateway.ProofRefused || j.Reason == string(market.CodeDisagree)
}

func isPaid(j *gateway.Job) bool { return j.Height > 0 }

// follow watches a job until it is as wanted; one that ends before is an error.
func follow(ctx context.Context, client *gateway.Client, id string, b *bars, wanted func(*gateway.Job) bool) (*gateway.Job, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for j, err := range client.Watch(ctx, id) {
		if err != nil {
			return nil, err
		}
		if wanted(&j) {
			return &j, nil
		}
		if hopeless(&j) {
			if x, ok := byOthers(ctx, client, &j, wanted); ok {
				return x, nil
			}
			return nil, jobFailure(ctx, client, &j)
		}
		stage, done, total := j.Execution, 0, 1
		if j.Stage != "" {
			stage, done, total = j.Stage, j.Done, j.Total
		}
		b.update(stage, int64(done), int64(total))
	}
	return nil, errors.New("the node says no more of the job")
}

// check verifies the proof in this process, with the key that the ledger has.
func (f *inferFlags) check(ctx context.Context, client *gateway.Client, m *gateway.Model, inputs []tensor.Tensor, x *inferred) error {
	key, err := announcedKey(ctx, client, m)
	if err != nil {
		return err
	}
	proof, err := client.Proof(ctx, x.Job.ID)
	if err != nil {
		return err
	}
	want, err := f.statement(ctx, x.Job)
	if err != nil {
		return err
	}
	v, err := pipeline.Verify(pipeline.Claim{Model: key, Proof: proof, Inputs: inputs})
	if err != nil {
		return err
	}
	if got := (proofs.Job{ID: v.Job.ID, Payee: v.Job.Payee, Chain: v.Job.Chain}); got != want {
		return &verify.Rejection{Check: verify.CheckInputs, Cause: errors.New("the proof is of another job, payee or chain")}
	}
	x.Outputs, x.Tails, x.Verified, x.VerifyMS = v.Outputs, v.Tails, true, float64(v.Verify.Microseconds())/1000
	return f.write(key, proof, x)
}

// announcedKey is the verifying key of a model or circuit, as the ledger has it.
func announcedKey(ctx context.Context, client *gateway.Client, m *gateway.Model) ([]byte, error) {
	key, err := client.Key(ctx, m.Resource)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(key); hex.EncodeToString(sum[:]) != m.Key {
		return nil, errors.New("the verifying key that the node sent is not the one that the ledger announces")
	}
	return key, nil
}

// statement is what the proof of a job has to be about.
func (f *inferFlags) statement(ctx context.Context, j *gateway.Job) (s proofs.Job, err error) {
	node, _, err := f.open()
	if err != nil {
		return s, err
	}
	status, err := node.Status(ctx)
	if err != nil {
		return s, err
	}
	var all [3]chain.Hash
	for i, text := range []string{status.Chain, j.ID, j.Operator} {
		if all[i], err = parseHash(text); err != nil {
			return s, fmt.Errorf("answer of the node: %w", err)
		}
	}
	payee := chain.LockHash(chain.Key{Key: chain.PublicKey(all[2])})
	return proofs.JobOf(all[0], all[1], payee), nil
}

// write keeps what came, where that is asked for.
func (f *inferFlags) write(key, proof []byte, x *inferred) error {
	if f.out == "" {
		return nil
	}
	output, err := tensor.FormatJSON(f.model, x.Outputs)
	if err != nil {
		return err
	}
	if err := pipeline.MakeDir(f.out); err != nil {
		return fmt.Errorf("--out: %w", plain(err, f.out))
	}
	return writeOutcome(f.out, &pipeline.Outcome{Model: key, Proof: proof, Output: output})
}

// tensorsOf reads the tensors of an answer.
func tensorsOf(all []gateway.Tensor) ([]tensor.Tensor, error) {
	var out []tensor.Tensor
	for i := range all {
		t, err := all[i].Numbers()
		if err != nil {
			return nil, fmt.Errorf("answer of the node: %w", err)
		}
		x := tensor.Tensor{Name: all[i].Name, Datatype: all[i].Datatype, Data: t}
		for _, n := range all[i].Shape {
			x.Shape = append(x.Shape, int(n))
		}
		out = append(out, x)
	}
	return out, nil
}

func (f *inferFlags) print(w io.Writer, m *gateway.Model, x *inferred) error {
	if f.json {
		return printJSON(w, x)
	}
	j := x.Job
	proof := "none: the operator's bond answers for the result"
	if x.Verified {
		proof = fmt.Sprintf("valid, verified here in %.1f ms: %s, %s", x.VerifyMS, size(int64(j.ProofBytes)), j.ProofCID)
	}
	rows := [][]string{
		{"model", fmt.Sprintf("%q, %s", m.Name, m.CID)},
		{"job", j.ID},
		{"operator", fmt.Sprintf("%s on %s", j.Operator, j.Device)},
		{"price", baseUnits(j.Price)},
		{"proof", proof},
		{"escrow", j.EscrowTx},
		{"settlement", settlementText(j)},
		{"time", fmt.Sprintf("%.0f ms from submission to the result", x.TotalMS)},
	}
	if err := table(w, rows); err != nil {
		return err
	}
	return printOutputs(w, x.Outputs, x.Tails)
}

func settlementText(j *gateway.Job) string {
	switch {
	case j.Height > 0:
		return fmt.Sprintf("%s in block %d, transaction %s", j.Settlement, j.Height, j.SettleTx)
	case j.SettleTx != "":
		return fmt.Sprintf("%s, transaction %s waits for a block", j.Settlement, j.SettleTx)
	}
	return j.Settlement
}
