package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/pipeline"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// proofAlone is the baseline of a settlement: the proof verified, and nothing else.
const proofAlone = "proof alone"

// settlementCase validates a block with one escrow that is settled by a proof of a model's run.
func settlementCase(o *Options, model string) Case {
	r := report.Result{
		Case: "settlement, " + model, Title: "block with one proof, " + model, Series: "settlement", Engine: "cpu",
		Parameters: map[string]int64{report.Transactions: 1},
	}
	return Case{result: r, open: func(ctx context.Context, r *report.Result) (*trial, error) {
		s, err := newSettlement(ctx, filepath.Join(o.Models, model))
		if err != nil {
			return nil, err
		}
		r.Input = newDigest().bytes(s.evidence.Input, s.evidence.Output).String()
		p := &pair{metric: perTransaction, against: proofAlone, shortest: o.shortest, subject: s.block, baseline: s.alone}
		return &trial{run: p.run}, p.warm(ctx)
	}}
}

// settlement is a ledger, a block that settles an escrow by a proof, and the proof.
type settlement struct {
	*chaintest.Network
	verifier *proofs.Verifier
	claim    chain.Claim
	evidence chain.Evidence
	settles  *chain.Block
}

// block validates the block: the proof is not remembered from one time to the next.
func (s *settlement) block(context.Context) error {
	_, err := s.Apply(&s.Ledger, s.Store, s.settles, s.Store)
	return err
}

// alone verifies the proof, under a key that is decoded, as it is for the block.
func (s *settlement) alone(context.Context) error {
	ok, err := s.verifier.Verify(&s.claim, &s.evidence)
	if err == nil && !ok {
		err = errors.New("the proof does not hold")
	}
	return err
}

// parties of the escrow.
func parties() (client, operator chaintest.Wallet) {
	return chaintest.NewWallet("client"), chaintest.NewWallet("operator")
}

func newSettlement(ctx context.Context, model string) (*settlement, error) {
	run, err := newRun(ctx, model)
	if err != nil {
		return nil, err
	}
	s := &settlement{verifier: proofs.New(proofs.Config{})}
	v, err := chain.NewValidator(chain.DefaultParams(), s.verifier, runtime.NumCPU())
	if err != nil {
		return nil, err
	}
	client, _ := parties()
	coin := chain.Output{Lock: client.Lock(), Value: chain.Native(100_000)}
	network, coins, err := chaintest.NewNetwork(v, coin, coin)
	if err != nil {
		return nil, err
	}
	s.Network = network
	resource, key, err := s.publish(run, coins[0])
	if err != nil {
		return nil, err
	}
	escrow, at, err := s.fund(run, key, resource, coins[1])
	if err != nil {
		return nil, err
	}
	return s, s.settle(ctx, run, escrow, at)
}

// publish mines a block with the model.
func (s *settlement) publish(run *modelRun, coin chain.UTXO) (resource chain.UTXO, key chain.VerifyingKey, err error) {
	client, _ := parties()
	raw := proofs.EncodeModel(run.program.Model)
	a := s.Store.Attach(chain.AttachKey, raw)
	units, ok, err := s.verifier.KeyCost(chain.ResourceModel, raw)
	if err != nil || !ok {
		return resource, key, fmt.Errorf("cost of the key (well-formed: %v): %w", ok, err)
	}
	key = chain.VerifyingKey{Hash: a.SHA256, Len: a.Len, Cost: units}
	d := s.Draft().Spend(coin, chaintest.With{Data: []any{client}})
	d.Attachments = []chain.Attachment{a}
	tx := d.Pay(chain.Output{Lock: client.Lock(), Value: coin.Entry.Output.Value, Body: &chain.Resource{
		CID: []byte{1}, Kind: chain.ResourceModel, Size: 1, Owner: client.Lock(), Key: &key,
	}}).Sign()
	return tx.Out(0), key, s.Mine(tx)
}

// fund mines a block with the escrow.
func (s *settlement) fund(run *modelRun, key chain.VerifyingKey, resource, coin chain.UTXO) (*chain.JobEscrow, chain.UTXO, error) {
	client, operator := parties()
	e := &chain.JobEscrow{
		Job: chain.JobID(s.Ledger.Chain, client.Lock(), [16]byte{1}, chain.Hash{}), Client: client.Lock(), Operator: operator.Lock(),
		Level: chain.LevelZK, Kind: chain.JobInfer, Key: key, Model: run.program.Model.Digest(),
		Input: s.Store.Attach(chain.AttachInput, proofs.EncodeInput(run.cells)).SHA256,
		Price: 1000, FeeReserve: 2000, Bond: 97_000, Start: s.Now(), Due: s.Now() + 200_000, Late: s.Now() + 900_000,
	}
	tx := s.Draft().Spend(coin, chaintest.With{Data: []any{client}}).Refer(resource).
		Pay(chain.Output{Lock: chain.Open(), Value: chain.Native(100_000), Body: e.State()}).Sign()
	return e, tx.Out(0), s.Mine(tx)
}

// settle makes the proof and the block with it.
func (s *settlement) settle(ctx context.Context, run *modelRun, e *chain.JobEscrow, at chain.UTXO) error {
	client, operator := parties()
	payee := chain.LockHash(operator.Lock())
	output, proof, err := run.prove(ctx, proofs.JobOf(s.Ledger.Chain, e.Job, payee))
	if err != nil {
		return err
	}
	d := s.Draft()
	d.Attachments = []chain.Attachment{
		s.Store.Attach(chain.AttachInput, proofs.EncodeInput(run.cells)), s.Store.Attach(chain.AttachOutput, output), s.Store.Attach(chain.AttachProof, proof),
	}
	d.Spend(at, chaintest.With{Exit: chain.EscrowProve, Choices: []uint64{0, 1, 2, 0}, Data: []any{operator}})
	r := chain.Receipt{
		Job: e.Job, Kind: e.Kind, Level: e.Level, Model: e.Model, Input: e.Input, Output: d.Attachments[1].SHA256,
		Operator: payee, Paid: chain.Coin{Amount: e.Price},
	}
	tx := d.Pay(
		chain.Output{Lock: operator.Lock(), Value: chain.Native(e.Price + e.Bond)}, chain.Output{Lock: client.Lock(), Value: chain.Native(e.FeeReserve)},
		chain.Output{Lock: client.Lock(), Body: r.State()},
	).Sign()
	s.settles = s.Block(1000, tx)
	s.evidence = chain.Evidence{Key: proofs.EncodeModel(run.program.Model), Input: proofs.EncodeInput(run.cells), Output: output, Proof: proof}
	s.claim = chain.Claim{
		Kind: e.Kind, Key: e.Key, Chain: s.Ledger.Chain, Job: e.Job, Payee: payee, Model: e.Model, Input: e.Input,
		Output: d.Attachments[1].SHA256, Proof: d.Attachments[2].SHA256,
		InputLen: d.Attachments[0].Len, OutputLen: d.Attachments[1].Len, ProofLen: d.Attachments[2].Len,
	}
	return nil
}

// modelRun is a prepared model with its sample input.
type modelRun struct {
	line    pipeline.Line
	program *pipeline.Program
	inputs  []tensor.Tensor
	cells   [][]int32
}

func newRun(ctx context.Context, model string) (*modelRun, error) {
	data, err := os.ReadFile(model + ".onnx")
	if err != nil {
		return nil, err
	}
	sample, err := os.ReadFile(model + ".input.json")
	if err != nil {
		return nil, err
	}
	r := &modelRun{}
	if r.inputs, err = tensor.ParseJSON(sample); err != nil {
		return nil, err
	}
	r.program, err = r.line.Prepare(ctx, pipeline.Source{ONNX: data, Inputs: r.inputs, Transcript: transcript.SHA256})
	if err != nil {
		return nil, err
	}
	r.cells, _, err = tensor.QuantizeAll(r.program.Model.Graph, r.inputs, false)
	return r, err
}

// prove returns the attachments of output and proof.
func (r *modelRun) prove(ctx context.Context, j proofs.Job) (output, proof []byte, err error) {
	x, err := r.line.Attach(ctx, r.program, pipeline.EngineInterpreter)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	o, err := r.line.Prove(ctx, r.program, x, pipeline.Request{Inputs: r.inputs, Job: prover.Job{ID: j.ID, Payee: j.Payee, Chain: j.Chain}})
	if err != nil {
		return nil, nil, err
	}
	f, err := verify.DecodeFile(o.Proof, r.program.Model)
	if err != nil {
		return nil, nil, err
	}
	return proofs.EncodeOutput(f.OutputValues()), o.Proof, nil
}
