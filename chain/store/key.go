package store

import (
	"encoding/binary"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// The first byte of a key; see the package's comment.
const (
	keyFormat     = 'f'
	keyLedger     = 'l'
	keyJournal    = 'j'
	keyRedo       = 'R'
	keyBase       = 'B'
	keyPruned     = 'P'
	keyHeader     = 'H'
	keyHeight     = 'n'
	keyBody       = 'b'
	keyMain       = 'm'
	keyRecord     = 'd'
	keyGroup      = 'o'
	keySpent      = 's'
	keyNames      = 'k'
	keyAttachment = 'a'
	keyLastUse    = 'r'
	keyQueue      = 'q'
	keyPin        = 'p'
	keyTx         = 't'
	keyUnspent    = 'u'
	keyHistory    = 'h'
)

// hashKey is a prefix and a hash.
func hashKey(prefix byte, h chain.Hash) []byte {
	return append(append(make([]byte, 0, 1+chain.HashSize), prefix), h[:]...)
}

// heightKey is a prefix and a height.
func heightKey(prefix byte, height uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 9+chain.HashSize), prefix), height)
}

// heightHashKey sorts by height.
func heightHashKey(prefix byte, height uint64, h chain.Hash) []byte {
	return append(heightKey(prefix, height), h[:]...)
}

// splitHeightHash is the inverse of heightHashKey.
func splitHeightHash(key []byte) (uint64, chain.Hash, error) {
	if len(key) != 9+chain.HashSize {
		return 0, chain.Hash{}, &CorruptError{fmt.Sprintf("key %x", key), "wrong length", nil}
	}
	return binary.BigEndian.Uint64(key[1:]), chain.Hash(key[9:]), nil
}

// groupSize is the number of outputs whose marks fit in one word.
const groupSize = 64

// group names up to groupSize outputs of a transaction: those from groupSize·index on.
type group struct {
	tx    chain.Hash
	index uint16
}

func groupOf(o chain.Outpoint) group { return group{o.Tx, uint16(o.Index / groupSize)} }

// bit is the mark of an output in its group.
func bit(o chain.Outpoint) uint64 { return 1 << (o.Index % groupSize) }

// holds reports whether a group can hold an output: transactions have at most MaxOutputs.
func holds(o chain.Outpoint) bool { return o.Index < chain.MaxOutputs }

func (g group) key(prefix byte) []byte {
	return binary.BigEndian.AppendUint16(hashKey(prefix, g.tx), g.index)
}

func (g group) outpoint(i int) chain.Outpoint {
	return chain.Outpoint{Tx: g.tx, Index: uint32(g.index)*groupSize + uint32(i)}
}

// described says what keys of each prefix hold.
var described = map[byte]string{
	keyFormat: "format version", keyLedger: "ledger", keyJournal: "journal of a move", keyRedo: "redo record",
	keyBase: "base height", keyPruned: "height of pruning", keyHeader: "header", keyHeight: "height of block", keyBody: "block",
	keyMain: "block at height", keyRecord: "undo data of block", keyGroup: "outputs of transaction", keySpent: "spent outputs of transaction",
	keyNames: "names of verifying key", keyAttachment: "attachment", keyLastUse: "last use of attachment",
	keyQueue: "queue of attachments", keyPin: "pin of attachment", keyTx: "place of transaction", keyUnspent: "index of unspent outputs",
	keyHistory: "index of transactions",
}

// describe says what a key holds, for messages.
func describe(key []byte) string {
	if len(key) == 0 {
		return "empty key"
	}
	what, rest := described[key[0]], key[1:]
	switch {
	case what == "":
		return fmt.Sprintf("unknown key %x", key)
	case len(rest) == 0:
		return what
	case key[0] == keyHeader || key[0] == keyRecord || key[0] == keyQueue:
		if height, h, err := splitHeightHash(key); err == nil {
			return fmt.Sprintf("%s %v at height %d", what, h, height)
		}
	case key[0] == keyMain && len(rest) == 8:
		return fmt.Sprintf("%s %d", what, binary.BigEndian.Uint64(rest))
	case (key[0] == keyGroup || key[0] == keySpent) && len(rest) == chain.HashSize+2:
		n := int(binary.BigEndian.Uint16(rest[chain.HashSize:])) * groupSize
		return fmt.Sprintf("%s %x, %d to %d", what, rest[:chain.HashSize], n, n+groupSize-1)
	}
	return fmt.Sprintf("%s %x", what, rest)
}
