package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/weisyn/wes/chain"
)

// Report is what a verification has found to hold.
type Report struct {
	Height     uint64 // of the ledger's last block
	ProofsFrom uint64 // from here on attachments and proofs of every block were checked
}

// BlockError says where a verification ends.
type BlockError struct {
	Height uint64
	Block  chain.Hash
	Err    error // a chain.RuleError, a CorruptError, ErrPruned, or a fault
}

func (e *BlockError) Error() string {
	return fmt.Sprintf("block %v at height %d: %v", e.Block, e.Height, e.Err)
}

func (e *BlockError) Unwrap() error { return e.Err }

// Verify validates the published ledger anew: it reads every value, applies all blocks from the
// genesis block on to an empty ledger, and compares what that ends with, indexes included.
// Work, bits, times and seals of headers are not judged. Proofs are verified as far as
// attachments are kept. The empty ledger is kept in a folder beside the store, which takes
// about as much room as the store without bodies and attachments, and is removed. It may run
// beside all else. Errors are a BlockError, a CorruptError, or a fault.
func (s *Store) Verify(ctx context.Context, v *chain.Validator, progress func(height, of uint64)) (Report, error) {
	r := s.Reader()
	defer r.Close()
	report, err := s.verify(ctx, r, v, progress)
	if err != nil {
		return report, fmt.Errorf("verify: %w", err)
	}
	return report, nil
}

func (s *Store) verify(ctx context.Context, r *Reader, v *chain.Validator, progress func(height, of uint64)) (report Report, err error) {
	if err := errors.Join(s.verifyTables(), r.check(ctx)); err != nil {
		return report, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(s.dir), "verify-*")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o := s.o
	o.volatile = true
	fresh, err := Open(dir, o)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, fresh.Close()) }()
	report = Report{Height: r.ledger.Height, ProofsFrom: 1}
	for height := uint64(1); height <= r.ledger.Height; height++ {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		checked, err := fresh.replay(r, v, height)
		if err != nil {
			return report, err
		}
		if !checked {
			report.ProofsFrom = height + 1
		}
		progress(height, r.ledger.Height)
	}
	return report, r.equal(fresh)
}

// replay validates and connects the block of another store at a height. Without its attachments
// or the keys of its proofs, these are not checked.
func (s *Store) replay(from *Reader, v *chain.Validator, height uint64) (checked bool, err error) {
	h, ok, err := from.MainHash(height)
	if err != nil || !ok {
		return false, errors.Join(err, missing(heightKey(keyMain, height)))
	}
	b, ok, err := from.Block(h)
	if err == nil && !ok {
		err = fmt.Errorf("%w: its body", ErrPruned)
	}
	if err != nil {
		return false, &BlockError{height, h, err}
	}
	l := s.Ledger()
	ledger := replayed{s, from}
	a, err := v.Apply(&l, ledger, b, from)
	checked = err == nil
	if unavailable := (*chain.UnavailableError)(nil); errors.As(err, &unavailable) {
		a, err = v.Apply(&l, ledger, b, nil)
	}
	if err == nil {
		err = s.enter(newChange(b, a), &record{a.After, checked, a.Changes.Keys})
	}
	if err != nil {
		return false, &BlockError{height, h, err}
	}
	return checked, nil
}

// replayed is a fresh ledger with the verifying keys of another.
type replayed struct {
	*Store
	from *Reader
}

var _ chain.View = replayed{}

// VerifyingKey implements chain.View.
func (r replayed) VerifyingKey(h chain.Hash) ([]byte, bool, error) {
	sn := r.acquire()
	defer sn.release()
	named, err := sn.has(hashKey(keyNames, h))
	if err != nil || !named {
		return nil, false, err
	}
	return r.from.Attachment(h)
}

// compared lists what two stores of one ledger have in common, however they were pruned.
var compared = []byte{keyLedger, keyMain, keyNames, keyTx, keyUnspent, keyHistory}

// equal compares the state with that of a fresh store.
func (r *Reader) equal(fresh *Store) error {
	sn := fresh.acquire()
	defer sn.release()
	for _, prefix := range compared {
		if err := sameItems(r.scan([]byte{prefix}, nil), sn.scan([]byte{prefix}, nil)); err != nil {
			return err
		}
	}
	return sameItems(named(r.Unspent()), named(sn.Unspent()))
}

// named yields outputs under the keys of their groups.
func named(all iter.Seq2[chain.UTXO, error]) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for u, err := range all {
			if !yield(item{groupOf(u.Outpoint).key(keyGroup), u.Encode()}, err) {
				return
			}
		}
	}
}

// sameItems requires that what is stored is what should be, in its order.
func sameItems(stored, want iter.Seq2[item, error]) error {
	next, stop := iter.Pull2(want)
	defer stop()
	for have, err := range stored {
		if err != nil {
			return err
		}
		should, err, ok := next()
		switch {
		case err != nil:
			return err
		case !ok || bytes.Compare(have.key, should.key) < 0:
			return corrupt(have.key, nil, "does not follow from the blocks")
		case !bytes.Equal(have.key, should.key):
			return missing(should.key)
		case !bytes.Equal(have.value, should.value):
			return corrupt(have.key, nil, "is not what follows from the blocks")
		}
	}
	if should, err, ok := next(); ok {
		return errors.Join(err, missing(should.key))
	}
	return nil
}

// check reads every value and requires that it decodes, and that what is named by a key is
// what the key holds.
func (v view) check(ctx context.Context) error {
	for item, err := range v.scan(nil, nil) {
		if err == nil {
			err = errors.Join(checkValue(&item), ctx.Err())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var errValue = errors.New("it does not decode")

// checkValue decodes what lies under a key.
func checkValue(it *item) error {
	var err error
	ok := true
	switch it.key[0] {
	case keyHeader:
		_, err = readHeader(it.key, it.value)
		return err
	case keyBody:
		_, err = readBlock(it.key, it.value)
		return err
	case keyGroup:
		_, err = members(it, func(_ group, _, mask uint64) (uint64, error) { return mask, nil })
		return err
	case keyLedger:
		_, err = chain.DecodeLedger(it.value)
	case keySpent:
		_, ok = parseSpent(it.value)
	case keyRecord:
		_, ok = decodeRecord(it.value)
	case keyAttachment:
		ok = isAttachment(it.key, it.value)
	case keyHeight, keyNames, keyLastUse, keyBase, keyPruned:
		ok = len(it.value) == 8
	case keyMain:
		ok = len(it.value) == chain.HashSize
	case keyTx:
		ok = len(it.value) == placeSize
	}
	if !ok {
		err = errValue
	}
	if err != nil {
		return corrupt(it.key, err, "can't be right")
	}
	return nil
}
