package circuit

import (
	"context"
	"errors"
	"sync"
	"testing"
)

func (c *cache) mustGet(t *testing.T, key byte, size int64, loads *int) *entry {
	t.Helper()
	e, _, err := c.get(t.Context(), [32]byte{key}, size, func() (*loaded, error) {
		*loads++
		return &loaded{bytes: size}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (c *cache) keys() string {
	var s []byte
	for _, e := range c.mu.entries {
		s = append(s, e.key[0])
	}
	return string(s)
}

func TestCacheDropsWhatWasUnusedForTheLongestTime(t *testing.T) {
	c := cache{limit: 10}
	loads := 0
	for _, step := range []struct {
		key  byte
		size int64
		want string
	}{
		{'a', 4, "a"}, {'b', 4, "ab"}, {'a', 4, "ba"}, {'c', 4, "ac"}, {'d', 11, ""}, {'a', 4, "a"},
	} {
		c.release(c.mustGet(t, step.key, step.size, &loads))
		if got := c.keys(); got != step.want {
			t.Errorf("after %c: %q, want %q", step.key, got, step.want)
		}
	}
	if loads != 5 {
		t.Errorf("%d loads, want 5", loads)
	}
}

func TestCacheKeepsWhatIsInUse(t *testing.T) {
	c := cache{limit: 10}
	loads := 0
	a := c.mustGet(t, 'a', 8, &loads)
	b := c.mustGet(t, 'b', 8, &loads)
	if c.keys() != "ab" {
		t.Errorf("%q in use, want both", c.keys())
	}
	c.release(b)
	if c.keys() != "a" {
		t.Errorf("%q, want what is in use", c.keys())
	}
	c.release(a)
	if c.keys() != "a" {
		t.Errorf("%q, want what fits", c.keys())
	}
}

func TestCacheLoadsOnceForAll(t *testing.T) {
	c := cache{limit: 10}
	var all sync.WaitGroup
	var mu sync.Mutex
	loads := 0
	for range 20 {
		all.Go(func() {
			e, _, err := c.get(context.Background(), [32]byte{1}, 1, func() (*loaded, error) {
				mu.Lock()
				defer mu.Unlock()
				loads++
				return &loaded{bytes: 1}, nil
			})
			if err != nil {
				t.Error(err)
				return
			}
			c.release(e)
		})
	}
	all.Wait()
	if loads != 1 || c.mu.entries[0].users != 0 {
		t.Errorf("%d loads, %d users left", loads, c.mu.entries[0].users)
	}
}

func TestCacheForgetsFailures(t *testing.T) {
	c := cache{limit: 10}
	broken := errors.New("broken")
	_, _, err := c.get(t.Context(), [32]byte{1}, 1, func() (*loaded, error) { return nil, broken })
	if !errors.Is(err, broken) || len(c.mu.entries) != 0 {
		t.Errorf("got %v and %d entries", err, len(c.mu.entries))
	}
	loads := 0
	c.release(c.mustGet(t, 1, 1, &loads))
	if loads != 1 {
		t.Error("not loaded again")
	}
}
