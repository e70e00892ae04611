package gpu

// Lease is the right to use some memory of a device, until it is released.
type Lease struct {
	slots  *Slots
	slot   *slot
	bytes  uint64
	lost   chan struct{}
	reason string // why it is lost; guarded by slots.mu
}

// Device is the one that the lease is on.
func (l *Lease) Device() Device { return l.slot.device }

// Bytes is the memory reserved.
func (l *Lease) Bytes() uint64 { return l.bytes }

// Lost is closed when the device goes out of service. The memory stays reserved until the
// lease is released: who works on the device has to end first.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Reason is why the lease was lost, "" while it is not.
func (l *Lease) Reason() string {
	l.slots.mu.Lock()
	defer l.slots.mu.Unlock()
	return l.reason
}

// Release gives the memory back. Only the first call counts.
func (l *Lease) Release() {
	l.slots.mu.Lock()
	defer l.slots.mu.Unlock()
	l.release()
	l.slots.serve()
}

func (l *Lease) release() {
	if _, held := l.slot.leases[l]; held {
		delete(l.slot.leases, l)
		l.slot.reserved -= l.bytes
	}
}

func (l *Lease) lose(reason string) {
	if l.reason == "" {
		l.reason = reason
		close(l.lost)
	}
}
