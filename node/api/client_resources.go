package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// TransferError is what a node answers a transfer with that it does not carry out. It is
// ErrNotFound, ErrTooLarge, ErrNoRoom, ErrResource or ErrNoResources where the status says so.
type TransferError struct {
	Status  int // of HTTP
	Message string
}

func (e *TransferError) Error() string { return e.Message }

// Unwrap returns the error that the status stands for, or nil.
func (e *TransferError) Unwrap() error {
	switch e.Status {
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusRequestEntityTooLarge:
		return ErrTooLarge
	case http.StatusInsufficientStorage:
		return ErrNoRoom
	case http.StatusUnprocessableEntity:
		return ErrResource
	case http.StatusNotImplemented:
		return ErrNoResources
	}
	return nil
}

// AddResource keeps what a reader gives on the node, as a file under a name.
func (c *Client) AddResource(ctx context.Context, r io.Reader, name string) (a Added, err error) {
	resp, err := c.stream(ctx, http.MethodPost, "/resources?"+url.Values{"name": {name}}.Encode(), r)
	if err != nil {
		return a, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&a); err != nil {
		return a, fmt.Errorf("add a resource: answer of the node: %w", err)
	}
	return a, nil
}

// GetResource reads a file of at most max bytes, and tells its size in bytes. The node gets from its
// peers what it does not have, and keeps it. A reader that ends early returns an error; close it.
func (c *Client) GetResource(ctx context.Context, cid string, max uint64) (io.ReadCloser, int64, error) {
	resp, err := c.stream(ctx, http.MethodGet, "/resources/"+url.PathEscape(cid)+"?max="+strconv.FormatUint(max, 10), nil)
	if err != nil {
		return nil, 0, err
	}
	return resp.Body, resp.ContentLength, nil
}

// stream sends a request that may take as long as its bytes need.
func (c *Client) stream(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.streams.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %w", ErrUnreachable, c.url, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 500))
	if err != nil {
		return nil, fmt.Errorf("the node answers %s, and breaks off: %w", resp.Status, err)
	}
	return nil, &TransferError{resp.StatusCode, strings.TrimSpace(string(text))}
}

// Resources calls wes_resources.
func (c *Client) Resources(ctx context.Context) (ResourceList, error) {
	return call[ResourceList](ctx, c, "resources", NoParams{})
}

// PinResource calls wes_pinResource.
func (c *Client) PinResource(ctx context.Context, cid, name string) error {
	_, err := call[Done](ctx, c, "pinResource", PinParams{cid, name})
	return err
}

// UnpinResource calls wes_unpinResource.
func (c *Client) UnpinResource(ctx context.Context, cid string) error {
	_, err := call[Done](ctx, c, "unpinResource", CIDParams{cid})
	return err
}

// RemoveResource calls wes_removeResource.
func (c *Client) RemoveResource(ctx context.Context, cid string) (Removed, error) {
	return call[Removed](ctx, c, "removeResource", CIDParams{cid})
}

// ReplicateResource calls wes_replicateResource.
func (c *Client) ReplicateResource(ctx context.Context, cid string, copies int) (Replicated, error) {
	return call[Replicated](ctx, c, "replicateResource", ReplicateParams{cid, copies})
}
