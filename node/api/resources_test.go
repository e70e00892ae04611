package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// shelf keeps resources in memory, under their SHA-256.
type shelf struct {
	quota int
	peer  func(ctx context.Context, progress func(int)) error // brings what is not here
	mu    sync.Mutex
	all   map[string][]byte
	names map[string]string
	ended chan error // of calls of Add
}

func newShelf() *shelf {
	return &shelf{quota: 64 << 20, all: map[string][]byte{}, names: map[string]string{}, ended: make(chan error, 8)}
}

func (s *shelf) List(context.Context) (ResourceList, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := ResourceList{Quota: uint64(s.quota), Resources: []Resource{}}
	for id, b := range s.all {
		l.Used += uint64(len(b))
		l.Resources = append(l.Resources, Resource{CID: id, Name: s.names[id], Size: uint64(len(b)), Since: 1})
	}
	return l, nil
}

func (s *shelf) Add(_ context.Context, r io.Reader, name string) (a Added, err error) {
	defer func() { s.ended <- err }()
	b, err := io.ReadAll(io.LimitReader(r, int64(s.quota)+1))
	if err != nil {
		return a, err
	}
	if len(b) > s.quota {
		return a, fmt.Errorf("%w: %d bytes at most", ErrNoRoom, s.quota)
	}
	sum := sha256.Sum256(b)
	id := hex.EncodeToString(sum[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[id], s.names[id] = b, name
	return Added{id, uint64(len(b))}, nil
}

func (s *shelf) Get(ctx context.Context, id string, most uint64, progress func(int)) (io.ReadCloser, int64, error) {
	if strings.Contains(id, "?") {
		return nil, 0, fmt.Errorf("%w: %q", ErrResource, id)
	}
	s.mu.Lock()
	b, here := s.all[id]
	s.mu.Unlock()
	switch {
	case !here && s.peer != nil:
		return nil, 0, s.peer(ctx, progress)
	case !here:
		return nil, 0, ErrNotFound
	case uint64(len(b)) > most:
		return nil, 0, ErrTooLarge
	}
	return io.NopCloser(bytes.NewReader(b)), int64(len(b)), nil
}

func (s *shelf) Pin(_ context.Context, id, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[id] == nil {
		return ErrNotFound
	}
	s.names[id] = name
	return nil
}
func (s *shelf) Unpin(id string) error { return s.Pin(context.Background(), id, "") }

func (s *shelf) Remove(_ context.Context, id string) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.all[id])
	delete(s.all, id)
	return uint64(n), nil
}

func (s *shelf) Replicate(_ context.Context, _ string, copies int) ([]string, error) {
	return []string{"a", "b", "c"}[:min(copies, 3)], nil
}

// keeper serves a shelf.
func keeper(t *testing.T, s *shelf, change func(*Config)) *Server {
	t.Helper()
	return serve(t, newFake(t), func(c *Config) {
		c.Resources = s
		if change != nil {
			change(c)
		}
	})
}

func TestFilesLargerThanARequestGoUpAndDown(t *testing.T) {
	s := newShelf()
	c := NewClient(keeper(t, s, func(c *Config) { c.MaxBody = 4096 }).URL(), "")
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	a, err := c.AddResource(t.Context(), bytes.NewReader(data), "a model & more")
	if err != nil || a.Size != uint64(len(data)) {
		t.Fatalf("%+v, %v", a, err)
	}
	r, n, err := c.GetResource(t.Context(), a.CID, uint64(len(data)))
	if err != nil || n != int64(len(data)) {
		t.Fatal(n, err)
	}
	got, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	l, err := c.Resources(t.Context())
	if err != nil || len(l.Resources) != 1 || l.Resources[0].Name != "a model & more" || l.Used != a.Size || l.Quota == 0 {
		t.Errorf("%+v, %v", l, err)
	}
	if err := errors.Join(c.PinResource(t.Context(), a.CID, "x"), c.UnpinResource(t.Context(), a.CID)); err != nil {
		t.Error(err)
	}
	if x, err := c.ReplicateResource(t.Context(), a.CID, 2); err != nil || len(x.Peers) != 2 {
		t.Errorf("%+v, %v", x, err)
	}
	if x, err := c.RemoveResource(t.Context(), a.CID); err != nil || x.Freed != a.Size {
		t.Errorf("%+v, %v", x, err)
	}
}

func TestTransfersSayWhatIsWrong(t *testing.T) {
	s := newShelf()
	s.quota = 1 << 20
	server := keeper(t, s, nil)
	c := NewClient(server.URL(), "")
	a, err := c.AddResource(t.Context(), strings.NewReader("some bytes"), "")
	if err != nil {
		t.Fatal(err)
	}
	get := func(id string, most uint64) error {
		_, _, err := c.GetResource(t.Context(), id, most)
		return err
	}
	for name, x := range map[string]struct {
		status int
		is     error
		err    error
	}{
		"unknown":   {404, ErrNotFound, get("00", 10)},
		"no CID":    {422, ErrResource, get("a?b", 10)},
		"too large": {413, ErrTooLarge, get(a.CID, 9)},
		"no room":   {507, ErrNoRoom, second(c.AddResource(t.Context(), bytes.NewReader(make([]byte, 40<<20)), ""))},
		"name":      {422, ErrResource, second(c.AddResource(t.Context(), strings.NewReader("x"), strings.Repeat("x", 256)))},
	} {
		var e *TransferError
		if !errors.As(x.err, &e) || e.Status != x.status || !errors.Is(x.err, x.is) || e.Message == "" {
			t.Errorf("%s: %v, want status %d", name, x.err, x.status)
		}
	}
	if got, text := do(t, server, http.MethodGet, "/resources/"+a.CID+"?max=-1", "", nil); got != 422 || !strings.Contains(text, "max") {
		t.Errorf("%d %s", got, text)
	}
	var e *Error
	if _, err := c.ReplicateResource(t.Context(), a.CID, 0); !errors.As(err, &e) || e.Code != -32602 {
		t.Error(err)
	}
	if err := c.PinResource(t.Context(), "00", ""); !errors.As(err, &e) || e.Code != CodeNotFound {
		t.Error(err)
	}
}

func TestNodeWithoutResourcesSaysSo(t *testing.T) {
	c := NewClient(serve(t, newFake(t), nil).URL(), "")
	if _, _, err := c.GetResource(t.Context(), "00", 1); !errors.Is(err, ErrNoResources) {
		t.Error(err)
	}
	var e *Error
	if _, err := c.Resources(t.Context()); !errors.As(err, &e) || e.Code != CodeNotHere {
		t.Error(err)
	}
}

func TestTransfersAreGuarded(t *testing.T) {
	open, closed := keeper(t, newShelf(), nil), keeper(t, newShelf(), func(c *Config) { c.Token = "secret" })
	for name, x := range map[string]struct {
		server *Server
		header map[string]string
		want   int
	}{
		"foreign page": {open, map[string]string{"Origin": "http://evil.example"}, 403},
		"embedded":     {open, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"no token":     {closed, nil, 401},
	} {
		for path, method := range map[string]string{"/resources": http.MethodPost, "/resources/00": http.MethodGet} {
			if got, text := do(t, x.server, method, path, "x", x.header); got != x.want {
				t.Errorf("%s %s: %d %s, want %d", name, path, got, text, x.want)
			}
		}
	}
}

// raw sends the head of an upload and some of its bytes, and then nothing.
func raw(t *testing.T, s *Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := fmt.Fprintf(conn, "POST /resources HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nsome"); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestUploadThatStallsOrBreaksOffIsEnded(t *testing.T) {
	s := newShelf()
	conn := raw(t, keeper(t, s, func(c *Config) { c.Stall = 50 * time.Millisecond }))
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), "408") {
		t.Errorf("%s, %v", answer, err)
	}
	if err := <-s.ended; err == nil {
		t.Error("what came of a slow sender was kept")
	}
	conn = raw(t, keeper(t, s, nil))
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-s.ended; err == nil || len(s.all) > 0 {
		t.Errorf("what came of a sender that is gone was kept: %v", err)
	}
}

func TestFetchEndsWhenNothingComes(t *testing.T) {
	s := newShelf()
	s.peer = func(ctx context.Context, progress func(int)) error {
		progress(1)
		<-ctx.Done()
		return ctx.Err()
	}
	c := NewClient(keeper(t, s, func(c *Config) { c.Stall = 50 * time.Millisecond }).URL(), "")
	if _, _, err := c.GetResource(t.Context(), "00", 1); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "50ms") {
		t.Error(err)
	}
}

func TestTransfersAreBoundedAndEndWithTheServer(t *testing.T) {
	s := newShelf()
	began, ended := make(chan struct{}), make(chan struct{})
	s.peer = func(ctx context.Context, _ func(int)) error {
		close(began)
		<-ctx.Done()
		close(ended)
		return ctx.Err()
	}
	server := keeper(t, s, func(c *Config) { c.Transfers = 1 })
	c := NewClient(server.URL(), "")
	done := make(chan error)
	go func() {
		_, _, err := c.GetResource(context.Background(), "00", 1)
		done <- err
	}()
	<-began
	var e *TransferError
	if _, _, err := c.GetResource(t.Context(), "00", 1); !errors.As(err, &e) || e.Status != 429 {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	default:
		t.Error("the server is closed, and a transfer goes on")
	}
	if err := <-done; err == nil {
		t.Error("a transfer that was ended succeeded")
	}
}

func TestDownloadThatIsCutOffIsNoFile(t *testing.T) {
	s := &cutting{newShelf()}
	server := serve(t, newFake(t), func(c *Config) { c.Resources = s })
	r, n, err := NewClient(server.URL(), "").GetResource(t.Context(), "00", 1<<20)
	if err != nil || n != 1<<20 {
		t.Fatal(n, err)
	}
	defer func() { _ = r.Close() }()
	if got, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// cutting has files that cannot be read to their end.
type cutting struct{ *shelf }

func (c *cutting) Get(context.Context, string, uint64, func(int)) (io.ReadCloser, int64, error) {
	return io.NopCloser(io.MultiReader(bytes.NewReader(make([]byte, 1000)), broken{})), 1 << 20, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("a block is gone") }
