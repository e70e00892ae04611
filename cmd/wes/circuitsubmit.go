package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/pipeline"
)

// submitFlags say what is to be proved and what it may cost.
type submitFlags struct {
	connection
	circuit, witness, maxPrice, out string
	deadline                        time.Duration
	wait                            bool
}

func newCircuitSubmit() *cobra.Command {
	var f submitFlags
	c := &cobra.Command{
		Use: "submit --circuit NAME|CID --witness FILE", Short: "Let the market prove a circuit, and check the proof", Args: arguments(),
		Long: `Let the market prove a circuit, and check the proof here.

The node's market key pays. The operator that gets the job is sent the whole witness, as
wes prove prove reads it: do not submit secrets that it must not know. The ledger sees the public
values alone. This command verifies the proof itself, with the verifying key that the ledger has.
A witness that does not satisfy the circuit costs a tenth of the price, once nobody has shown a proof
of the same public values in time.

--out gets ` + circuitProofFile + `, ` + circuitPublicFile + ` and ` + circuit.VerifyingFile + `, as wes prove verify takes them.

` + exitHelp,
		Example: "  wes prove submit --circuit cube --witness witness.json --max-price 0.01 --out proof",
		RunE:    func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.bind(c)
	fs := c.Flags()
	fs.StringVar(&f.circuit, "circuit", "", "name or CID of a circuit, or the output that announces it")
	fs.StringVar(&f.witness, "witness", "", "full witness: gnark's binary encoding or JSON")
	fs.StringVar(&f.maxPrice, "max-price", "", "highest price in WES, royalty included (default: the setting max_price of the node)")
	fs.DurationVar(&f.deadline, "deadline", 0, "how long it may take (default 10m)")
	fs.StringVar(&f.out, "out", "", "folder for the proof, made if missing")
	fs.BoolVar(&f.wait, "wait", false, "wait until the payment is in a block")
	return c
}

// submitted is what wes prove submit prints.
type submitted struct {
	Job      *gateway.Job `json:"job"`
	Scheme   string       `json:"scheme"`
	Curve    string       `json:"curve"`
	Verified bool         `json:"verified_here"`
	VerifyMS float64      `json:"verify_ms"`
	TotalMS  float64      `json:"total_ms"`
	proof    []byte
}

func (f *submitFlags) run(c *cobra.Command) error {
	if f.circuit == "" || f.witness == "" {
		return fmt.Errorf("--circuit and --witness are required; see %s --help", c.CommandPath())
	}
	witness, err := readFile(f.witness)
	if err != nil {
		return err
	}
	client, err := f.openMarket()
	if err != nil {
		return err
	}
	m, err := client.Model(c.Context(), f.circuit)
	if err != nil {
		return err
	}
	if m.Kind != gateway.KindProve {
		return fmt.Errorf("%q is a model: wes ai infer runs it", m.Name)
	}
	k, w, err := f.statement(c.Context(), client, m, witness)
	if err != nil {
		return err
	}
	var b *bars
	if !f.json {
		b = newBars(c.ErrOrStderr())
	}
	defer b.finish()
	x, err := f.prove(c.Context(), client, m, k, w, b)
	b.finish()
	if err != nil {
		return err
	}
	if err := f.write(k, w, x); err != nil {
		return err
	}
	return f.print(c.OutOrStdout(), m, x)
}

// statement is what the proof is to be about: the key that the ledger has, and the witness.
func (f *submitFlags) statement(ctx context.Context, client *gateway.Client, m *gateway.Model, witness []byte) (*circuit.VerifyingKey, *circuit.Witness, error) {
	raw, err := announcedKey(ctx, client, m)
	if err != nil {
		return nil, nil, err
	}
	k, err := proofs.DecodeCircuit(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("answer of the node: %w", err)
	}
	w, err := circuit.DecodeWitness(k.Curve, witness)
	if err == nil && w.Public != k.Public {
		err = fmt.Errorf("%d public values, the circuit has %d", w.Public, k.Public)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", f.witness, err)
	}
	return k, w, nil
}

// prove submits the job, follows it, and checks the proof.
func (f *submitFlags) prove(ctx context.Context, client *gateway.Client, m *gateway.Model, k *circuit.VerifyingKey, w *circuit.Witness, b *bars) (*submitted, error) {
	begun := time.Now()
	most, err := highest(f.maxPrice)
	if err != nil {
		return nil, err
	}
	j, err := client.Submit(ctx, &gateway.Request{
		Kind: gateway.KindProve, Model: m.Resource, Witness: w.Encode(), MaxPrice: most, DeadlineMS: f.deadline.Milliseconds(),
	})
	if err != nil {
		return nil, err
	}
	if _, err = follow(ctx, client, j.ID, b, hasOutputs); err != nil {
		return nil, err
	}
	x := &submitted{Scheme: k.SchemeName(), Curve: k.CurveName()}
	if x.proof, err = client.Proof(ctx, j.ID); err != nil {
		return nil, err
	}
	checked := time.Now()
	if err := k.Verify(w.PublicPart(), x.proof, circuit.TargetGnark); err != nil {
		return nil, err
	}
	x.Verified, x.VerifyMS = true, milliseconds(time.Since(checked))
	x.TotalMS = milliseconds(time.Since(begun))
	if f.wait {
		x.Job, err = follow(ctx, client, j.ID, b, isPaid)
	} else {
		x.Job, err = client.Job(ctx, j.ID)
	}
	return x, err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// write keeps what came, where that is asked for.
func (f *submitFlags) write(k *circuit.VerifyingKey, w *circuit.Witness, x *submitted) error {
	if f.out == "" {
		return nil
	}
	err := pipeline.MakeDir(f.out)
	if err == nil {
		err = pipeline.WriteFiles(f.out, []pipeline.File{
			{Name: circuitProofFile, Data: x.proof},
			{Name: circuitPublicFile, Data: w.PublicPart().EncodeJSON()},
			{Name: circuit.VerifyingFile, Data: k.Encode()},
		})
	}
	if err != nil {
		return fmt.Errorf("--out: %w", plain(err, f.out))
	}
	return nil
}

func (f *submitFlags) print(w io.Writer, m *gateway.Model, x *submitted) error {
	if f.json {
		return printJSON(w, x)
	}
	j := x.Job
	rows := [][]string{
		{"circuit", fmt.Sprintf("%q, %s", m.Name, m.CID)},
		{"job", j.ID},
		{"operator", fmt.Sprintf("%s on %s", j.Operator, j.Device)},
		{"price", baseUnits(j.Price)},
		{"proof", fmt.Sprintf("valid, verified here in %.1f ms: %s over %s, %s, %s", x.VerifyMS, x.Scheme, x.Curve, size(int64(len(x.proof))), j.ProofCID)},
		{"escrow", j.EscrowTx},
		{"settlement", settlementText(j)},
		{"time", fmt.Sprintf("%.0f ms from submission to the proof", x.TotalMS)},
	}
	if f.out != "" {
		rows = append(rows, []string{"files", filepath.Join(f.out, circuitProofFile) + ", " + circuitPublicFile + ", " + circuit.VerifyingFile})
	}
	return table(w, rows)
}
