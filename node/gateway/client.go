package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client asks a node's market. It may be used from any goroutine. What the node refuses comes back as
// *Problem.
type Client struct {
	url, token string
	http       *http.Client
}

// NewClient returns a client of the node at a URL, as "http://127.0.0.1:4872". The token may be empty
// on loopback.
func NewClient(url, token string) *Client {
	return &Client{strings.TrimRight(url, "/"), token, &http.Client{}}
}

var (
	// ErrUnreachable is returned when no node answers at the URL, or it stops in the middle.
	ErrUnreachable = errors.New("no node answers")
	// ErrAnswer is returned for an answer that a node does not give.
	ErrAnswer = errors.New("this is no answer of a node")
)

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 256 << 20

// Ready returns nil if the node takes jobs now.
func (c *Client) Ready(ctx context.Context) error {
	var r Ready
	return c.get(ctx, "/v2/health/ready", &r)
}

// Models lists the models that can be asked for.
func (c *Client) Models(ctx context.Context) ([]Model, error) {
	var l ModelList
	err := c.get(ctx, "/v1/models", &l)
	return l.Models, err
}

// Model finds a model by alias or CID.
func (c *Client) Model(ctx context.Context, name string) (*Model, error) {
	return fetch[Model](ctx, c, "/v1/models/"+url.PathEscape(name))
}

// Operators lists the operators that the node has heard of.
func (c *Client) Operators(ctx context.Context) ([]Operator, error) {
	var l OperatorList
	err := c.get(ctx, "/v1/operators", &l)
	return l.Operators, err
}

// Channels lists the payment channels of the node.
func (c *Client) Channels(ctx context.Context) ([]Channel, error) {
	var l ChannelList
	err := c.get(ctx, "/v1/channels", &l)
	return l.Channels, err
}

// Devices lists the devices of the node.
func (c *Client) Devices(ctx context.Context) ([]Device, error) {
	var l DeviceList
	err := c.get(ctx, "/v1/devices", &l)
	return l.Devices, err
}

// Infer runs a model and returns its outputs as soon as they are known. The proof may still be
// pending: Watch tells when it is verified.
func (c *Client) Infer(ctx context.Context, r *Request, e Encoding) (*Inference, error) {
	body, head, err := encodeInference(r, e)
	if err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	path := "/v2/models/" + url.PathEscape(r.Model)
	if r.Version != "" {
		path += "/versions/" + url.PathEscape(r.Version)
	}
	header := http.Header{"Content-Type": {mediaJSON}}
	if e == Binary {
		header = http.Header{"Content-Type": {mediaBinary}, headerLength: {strconv.Itoa(head)}}
	}
	resp, err := c.do(ctx, http.MethodPost, path+"/infer", header, body)
	if err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	raw, err := readAnswer(resp)
	if err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	return decodeAnswer(raw, resp.Header.Get(headerLength))
}

// Submit starts a job and returns once it has an id.
func (c *Client) Submit(ctx context.Context, r *Request) (*Job, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	var j Job
	if err := c.json(ctx, http.MethodPost, "/v1/jobs", body, &j); err != nil {
		return nil, err
	}
	return &j, nil
}

// Job returns a job with its outputs, if they are known.
func (c *Client) Job(ctx context.Context, id string) (*Job, error) {
	return fetch[Job](ctx, c, jobPath(id, ""))
}

// Jobs returns a page of jobs without outputs, newest first, and the cursor of the next page; empty at
// the end.
func (c *Client) Jobs(ctx context.Context, f JobFilter) ([]Job, string, error) {
	q := url.Values{}
	if f.Open {
		q.Set("open", "true")
	}
	if f.Limit != 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	if f.Cursor != "" {
		q.Set("cursor", f.Cursor)
	}
	var l JobList
	err := c.get(ctx, "/v1/jobs?"+q.Encode(), &l)
	return l.Jobs, l.Next, err
}

// Cancel gives a job up.
func (c *Client) Cancel(ctx context.Context, id string) error {
	return c.json(ctx, http.MethodDelete, jobPath(id, ""), nil, nil)
}

// Explain says why a job has the operator that it has, or none.
func (c *Client) Explain(ctx context.Context, id string) (*Explanation, error) {
	return fetch[Explanation](ctx, c, jobPath(id, "/explain"))
}

// Bids lists the bids for a job.
func (c *Client) Bids(ctx context.Context, id string) ([]Bid, error) {
	var l BidList
	err := c.get(ctx, jobPath(id, "/bids"), &l)
	return l.Bids, err
}

// Key returns the verifying key of a model or circuit as the ledger has it. Its SHA-256 is Model.Key.
func (c *Client) Key(ctx context.Context, model string) ([]byte, error) {
	resp, err := c.do(ctx, http.MethodGet, "/v1/models/"+url.PathEscape(model)+"/key", nil, nil)
	if err != nil {
		return nil, err
	}
	return readAnswer(resp)
}

// Proof returns the proof of a job.
func (c *Client) Proof(ctx context.Context, id string) ([]byte, error) {
	resp, err := c.do(ctx, http.MethodGet, jobPath(id, "/proof"), nil, nil)
	if err != nil {
		return nil, err
	}
	return readAnswer(resp)
}

func jobPath(id, rest string) string { return "/v1/jobs/" + url.PathEscape(id) + rest }

func (c *Client) get(ctx context.Context, path string, into any) error {
	return c.json(ctx, http.MethodGet, path, nil, into)
}

func fetch[T any](ctx context.Context, c *Client, path string) (*T, error) {
	var v T
	if err := c.get(ctx, path, &v); err != nil {
		return nil, err
	}
	return &v, nil
}

// json sends JSON and decodes the answer, unless none is wanted.
func (c *Client) json(ctx context.Context, method, path string, body []byte, into any) error {
	header := http.Header{}
	if body != nil {
		header.Set("Content-Type", mediaJSON)
	}
	resp, err := c.do(ctx, method, path, header, body)
	if err != nil {
		return err
	}
	raw, err := readAnswer(resp)
	if err != nil || into == nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%w: %v", ErrAnswer, err)
	}
	return nil
}

// do sends a request. The caller reads the answer to its end, or closes it.
func (c *Client) do(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, errors.Join(ctx.Err(), fmt.Errorf("%w at %s: %v", ErrUnreachable, c.url, err))
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	return nil, problemOf(resp)
}

func readAnswer(resp *http.Response) ([]byte, error) {
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w to the end: %v", ErrUnreachable, err)
	case len(raw) > maxAnswer:
		return nil, fmt.Errorf("%w: it exceeds %d bytes", ErrAnswer, maxAnswer)
	}
	return raw, nil
}

// problemOf reads an answer to a request that was not carried out.
func problemOf(resp *http.Response) *Problem {
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what is there is better than nothing
	p := &Problem{Status: resp.StatusCode, Reason: resp.Header.Get(headerReason), Job: resp.Header.Get(headerJob)}
	var f Failure
	if json.Unmarshal(raw, &f) == nil {
		p.Text = f.Error
	} else {
		p.Text = strings.TrimSpace(string(raw))
	}
	if p.Text == "" {
		p.Text = resp.Status
	}
	switch {
	case p.Reason != "":
	case resp.StatusCode == http.StatusUnauthorized:
		p.Reason = ReasonToken
	default:
		p.Reason = ReasonOther
	}
	if s, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 31); err == nil {
		p.RetryAfter = time.Duration(s) * time.Second
	}
	return p
}
