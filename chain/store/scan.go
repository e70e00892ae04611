package store

import (
	"iter"

	"github.com/dgraph-io/badger/v4"
)

// item is a key and its value, both the reader's own.
type item struct{ key, value []byte }

// scan yields what lies under a prefix, from a key on, in the order of keys.
func (v view) scan(prefix, from []byte) iter.Seq2[item, error] {
	return v.walk(prefix, from, false)
}

// scanBack yields what lies under a prefix in the reverse order, from a key on, inclusive.
func (v view) scanBack(prefix, from []byte) iter.Seq2[item, error] {
	return v.walk(prefix, from, true)
}

func (v view) walk(prefix, from []byte, reverse bool) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		it := v.txn.NewIterator(badger.IteratorOptions{Reverse: reverse, Prefix: prefix})
		defer it.Close()
		for it.Seek(from); it.ValidForPrefix(prefix); it.Next() {
			key := it.Item().KeyCopy(nil)
			value, err := it.Item().ValueCopy(nil)
			switch {
			case err != nil:
				err = fault(key, err)
			case len(value) == 0:
				err = corrupt(key, nil, "its value can't be read")
			}
			if !yield(item{key, value}, err) || err != nil {
				return
			}
		}
	}
}
