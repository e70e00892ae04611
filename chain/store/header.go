package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"github.com/weisyn/wes/chain"
)

// Flags of a stored header.
const (
	flagStored byte = 1 << iota
	flagBad
)

var errHeader = errors.New("malformed header")

// encodeHeader returns the header, its flags and its seal.
func encodeHeader(h *chain.StoredHeader) []byte {
	raw := h.Header.Encode()
	flags := byte(0)
	if h.Stored {
		flags |= flagStored
	}
	if h.Bad {
		flags |= flagBad
	}
	return append(append(raw[:], flags), h.Seal...)
}

// sealSize is the length of a seal, if there is one, in bytes.
const sealSize = 64

func decodeHeader(raw []byte) (h chain.StoredHeader, err error) {
	n := len(raw) - chain.HeaderSize - 1
	if n != 0 && n != sealSize || raw[chain.HeaderSize]&^(flagStored|flagBad) != 0 {
		return h, errHeader
	}
	if h.Header, err = chain.DecodeHeader(raw[:chain.HeaderSize]); err != nil {
		return h, err
	}
	flags := raw[chain.HeaderSize]
	h.Stored, h.Bad = flags&flagStored != 0, flags&flagBad != 0
	if n > 0 {
		h.Seal = raw[chain.HeaderSize+1:]
	}
	return h, nil
}

// Header returns a header by the hash of its block, the genesis block included.
func (v view) Header(h chain.Hash) (chain.StoredHeader, bool, error) {
	height, ok, err := v.number(hashKey(keyHeight, h))
	if err != nil || !ok {
		return chain.StoredHeader{}, false, err
	}
	key := heightHashKey(keyHeader, height, h)
	raw, err := v.must(key)
	if err != nil {
		return chain.StoredHeader{}, false, err
	}
	sh, err := readHeader(key, raw)
	return sh, err == nil, err
}

func readHeader(key, raw []byte) (chain.StoredHeader, error) {
	h, err := decodeHeader(raw)
	if err != nil {
		return h, corrupt(key, err, "a header that does not decode")
	}
	height, block, err := splitHeightHash(key)
	if err == nil && (h.Header.Height != height || h.Header.Hash() != block) {
		err = corrupt(key, nil, "header of block %v", h.Header.Hash())
	}
	return h, err
}

// Headers yields all headers but that of the genesis block, parents first.
func (s *Store) Headers() iter.Seq2[chain.StoredHeader, error] {
	return func(yield func(chain.StoredHeader, error) bool) {
		sn := s.acquire()
		defer sn.release()
		for item, err := range sn.scan([]byte{keyHeader}, heightKey(keyHeader, 1)) {
			var h chain.StoredHeader
			if err == nil {
				h, err = readHeader(item.key, item.value)
			}
			if !yield(h, err) || err != nil {
				return
			}
		}
	}
}

// PutHeaders adds headers, parents first. Those that are known keep their marks.
func (s *Store) PutHeaders(hs []chain.StoredHeader) error {
	sn := s.acquire()
	defer sn.release()
	var w writes
	for i := range hs {
		h := hs[i].Header.Hash()
		known, err := sn.has(hashKey(keyHeight, h))
		if err != nil {
			return fmt.Errorf("put headers: %w", err)
		}
		if !known {
			w.header(h, &hs[i])
		}
	}
	return s.writeAll("put headers", w)
}

func (w *writes) header(h chain.Hash, sh *chain.StoredHeader) {
	w.set(heightHashKey(keyHeader, sh.Header.Height, h), encodeHeader(sh))
	w.set(hashKey(keyHeight, h), binary.BigEndian.AppendUint64(nil, sh.Header.Height))
}

// MarkStored records that bodies and all their attachments are at hand.
func (s *Store) MarkStored(hs []chain.Hash) error {
	return s.mark("mark blocks as stored", hs, func(w *writes, _ chain.Hash, h *chain.StoredHeader) { h.Stored = true })
}

// MarkBad records that blocks break a rule, and removes their bodies. Before, it verifies the
// checksums of all tables: where one is damaged the store lacks outputs, and good blocks look
// bad.
func (s *Store) MarkBad(hs []chain.Hash) error {
	if err := s.verifyTables(); err != nil {
		return fmt.Errorf("mark blocks as bad: %w", err)
	}
	return s.mark("mark blocks as bad", hs, func(w *writes, block chain.Hash, h *chain.StoredHeader) {
		h.Bad, h.Stored = true, false
		w.remove(hashKey(keyBody, block))
	})
}

func (s *Store) mark(what string, hs []chain.Hash, change func(*writes, chain.Hash, *chain.StoredHeader)) error {
	sn := s.acquire()
	defer sn.release()
	var w writes
	for _, block := range hs {
		h, ok, err := sn.Header(block)
		if err == nil && !ok {
			err = unknownBlock(block)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		change(&w, block, &h)
		w.set(heightHashKey(keyHeader, h.Header.Height, block), encodeHeader(&h))
	}
	return s.writeAll(what, w)
}
