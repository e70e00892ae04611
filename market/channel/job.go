package channel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/weisyn/wes/chain"
)

// Limits of what a channel keeps.
const (
	MaxUnpaid = 64  // jobs that are begun and not paid, or whose voucher is not acknowledged
	MaxOwners = 8   // of models and circuits, who are paid royalties
	MaxOwner  = 256 // bytes of the lock of one
)

// Job is what client and operator agree on before the work begins.
type Job struct {
	_       struct{} `cbor:",toarray"`
	ID      chain.Hash
	Input   chain.Hash
	Price   uint64 // to the operator; at least 1
	Royalty uint64
	// Owner is the encoded lock that is paid Royalty; empty if that is zero.
	Owner []byte
}

var (
	errPrice = errors.New("a price of nothing, or a sum beyond 64 bits")
	errOwner = errors.New("a royalty without owner, or an owner without royalty")
)

func (j *Job) check() error {
	if _, carry := bits.Add64(j.Price, j.Royalty, 0); j.Price == 0 || carry != 0 {
		return errPrice
	}
	if (len(j.Owner) == 0) != (j.Royalty == 0) {
		return errOwner
	}
	if j.Royalty == 0 {
		return nil
	}
	return checkOwner(j.Owner)
}

func checkOwner(lock []byte) error {
	if len(lock) > MaxOwner {
		return fmt.Errorf("lock of an owner of %d bytes, at most %d", len(lock), MaxOwner)
	}
	l, err := chain.DecodeLock(lock)
	if err == nil {
		err = chain.CheckLock(l)
	}
	if err != nil {
		return fmt.Errorf("lock of an owner: %w", err)
	}
	return nil
}

// cost is what the job takes from the cap.
func (j *Job) cost() uint64 { return j.Price + j.Royalty }

// same reports whether both are one job. Jobs of one id and other terms are a conflict.
func (j *Job) same(k *Job) bool { return bytes.Equal(encode(j), encode(k)) }

// payment is a job with the output that it is paid for.
type payment struct {
	_      struct{} `cbor:",toarray"`
	Job    Job
	Output chain.Hash
}

// receipt is the one that follows a receipt.
func (p *payment) receipt(before chain.Hash) chain.Hash {
	price := binary.BigEndian.AppendUint64(nil, p.Job.Price)
	return tagged("wes/receipt/1", before[:], p.Job.ID[:], p.Job.Input[:], p.Output[:], price)
}
