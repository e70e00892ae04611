package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/creachadair/jrpc2"
	"github.com/weisyn/wes/chain"
)

// Client calls the methods of a node. It may be used from any goroutine.
type Client struct {
	url   string
	token string
	http  *http.Client
	// streams has no timeout: transfers take as long as they bring something.
	streams *http.Client
	last    atomic.Int64
}

// NewClient returns a client of the node at a URL, as "http://127.0.0.1:4872".
func NewClient(url, token string) *Client {
	return &Client{url: strings.TrimRight(url, "/"), token: token, http: &http.Client{Timeout: 2 * time.Minute}, streams: &http.Client{}}
}

var (
	// ErrUnreachable is returned when no node answers at the URL.
	ErrUnreachable = errors.New("no node answers")
	// ErrToken is returned when the token is missing or wrong.
	ErrToken = errors.New("the node asks for a token, and this is not it")
)

// Error is what a node answers a call with that it does not carry out.
type Error = jrpc2.Error

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 64 << 20

// Call calls a method, without prefix.
func (c *Client) Call(ctx context.Context, method string, params, result any) error {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": c.last.Add(1), "method": methodPrefix + method, "params": params})
	if err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	raw, err := c.post(ctx, body)
	if err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *Error          `json:"error"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("call %s: answer of the node: %w", method, err)
	}
	if answer.Error != nil {
		return answer.Error
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return fmt.Errorf("call %s: answer of the node: %w", method, err)
	}
	return nil
}

func (c *Client) post(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/rpc", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %v", ErrUnreachable, c.url, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w at %s: %v", ErrUnreachable, c.url, err)
	case len(raw) > maxAnswer:
		return nil, fmt.Errorf("the answer exceeds %d bytes", maxAnswer)
	case resp.StatusCode == http.StatusUnauthorized:
		return nil, fmt.Errorf("%w: %s", ErrToken, c.url)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the node answers %s: %s", resp.Status, strings.TrimSpace(string(raw[:min(len(raw), 500)])))
	}
	return raw, nil
}

func call[R any](ctx context.Context, c *Client, method string, params any) (r R, err error) {
	err = c.Call(ctx, method, params, &r)
	return r, err
}

// Status calls wes_status.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return call[Status](ctx, c, "status", NoParams{})
}

// Peers calls wes_peers.
func (c *Client) Peers(ctx context.Context) ([]Peer, error) {
	return call[[]Peer](ctx, c, "peers", NoParams{})
}

// Env calls wes_env.
func (c *Client) Env(ctx context.Context) (Env, error) { return call[Env](ctx, c, "env", NoParams{}) }

// Block calls wes_block.
func (c *Client) Block(ctx context.Context, p BlockParams) (Block, error) {
	return call[Block](ctx, c, "block", p)
}

// Transaction calls wes_transaction.
func (c *Client) Transaction(ctx context.Context, id chain.Hash) (Transaction, error) {
	return call[Transaction](ctx, c, "transaction", IDParams{id.String()})
}

// Output calls wes_output.
func (c *Client) Output(ctx context.Context, o chain.Outpoint) (Output, error) {
	return call[Output](ctx, c, "output", OutpointParams{outpointText(o)})
}

// Outputs calls wes_outputs.
func (c *Client) Outputs(ctx context.Context, p SubjectParams) (Outputs, error) {
	return call[Outputs](ctx, c, "outputs", p)
}

// History calls wes_history.
func (c *Client) History(ctx context.Context, p SubjectParams) (History, error) {
	return call[History](ctx, c, "history", p)
}

// Submit calls wes_submit.
func (c *Client) Submit(ctx context.Context, t *chain.Tx, w chain.Witness, attachments ...[]byte) (Submitted, error) {
	return call[Submitted](ctx, c, "submit", NewTxParams(t, w, attachments...))
}

// Check calls wes_check.
func (c *Client) Check(ctx context.Context, t *chain.Tx, w chain.Witness) (Checked, error) {
	return call[Checked](ctx, c, "check", NewTxParams(t, w))
}

// Make calls wes_make.
func (c *Client) Make(ctx context.Context, blocks int) (Made, error) {
	return call[Made](ctx, c, "make", MakeParams{blocks})
}

// NewTxParams encodes a transaction.
func NewTxParams(t *chain.Tx, w chain.Witness, attachments ...[]byte) TxParams {
	return TxParams{hex.EncodeToString(t.Encode()), hex.EncodeToString(w.Encode()), attachments}
}

// UTXO decodes an output of an answer.
func (o *Output) UTXO() (chain.UTXO, error) {
	var u chain.UTXO
	raw, err := hex.DecodeString(o.Raw)
	if err != nil {
		return u, fmt.Errorf("output of the node: %w", err)
	}
	out, err := chain.DecodeOutput(raw)
	if err != nil {
		return u, fmt.Errorf("output of the node: %w", err)
	}
	u.Outpoint, err = parseOutpoint(o.Outpoint)
	if err != nil {
		return u, fmt.Errorf("output of the node: %w", err)
	}
	u.Entry = chain.Entry{Output: out, Height: o.Height, Coinbase: o.Coinbase}
	return u, nil
}
