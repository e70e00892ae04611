package chain

import "sync"

// recent is a bounded set that forgets its oldest elements. It may be used from several
// goroutines at once.
type recent struct {
	limit int
	mu    struct {
		sync.RWMutex
		held  map[Hash]bool
		order []Hash // a ring, oldest at next once it is full
		next  int
	}
}

// newRecent returns a set of up to limit elements, at least 1.
func newRecent(limit int) *recent {
	r := &recent{limit: max(limit, 1)}
	r.mu.held = map[Hash]bool{}
	return r
}

func (r *recent) has(h Hash) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.mu.held[h]
}

func (r *recent) add(h Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.mu.held[h]:
		return
	case len(r.mu.order) < r.limit:
		r.mu.order = append(r.mu.order, h)
	default:
		delete(r.mu.held, r.mu.order[r.mu.next])
		r.mu.order[r.mu.next] = h
		r.mu.next = (r.mu.next + 1) % r.limit
	}
	r.mu.held[h] = true
}
