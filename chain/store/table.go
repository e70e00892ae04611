package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/y"
)

// Badger ends the process for a table whose end does not say where its index is, so the ends
// are looked at before. A table ends with: index, its length (4 bytes, big-endian), a message
// pb.Checksum of the index, its length (4 bytes); see Builder.Done in Badger's table package.

var errTable = errors.New("its end does not lead to an index")

// checkTables requires of all tables in a folder that their index is whole, and counts them.
func checkTables(dir string) (int, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		if err := checkTable(name); err != nil {
			return 0, &CorruptError{"table " + filepath.Base(name), "can't be opened", err}
		}
	}
	return len(names), nil
}

func checkTable(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	end := tableEnd{f, info.Size()}
	raw, err := end.part()
	if err != nil {
		return err
	}
	index, err := end.part()
	if err != nil {
		return err
	}
	return y.VerifyChecksum(index, checksum(raw))
}

// checksum reads a message of two numbers: 1 is the algorithm, 2 the sum.
func checksum(raw []byte) *pb.Checksum {
	sum := &pb.Checksum{}
	for len(raw) > 1 {
		v, n := binary.Uvarint(raw[1:])
		switch {
		case n <= 0:
			return sum
		case raw[0] == 1<<3:
			sum.Algo = pb.Checksum_Algorithm(v)
		case raw[0] == 2<<3:
			sum.Sum = v
		}
		raw = raw[1+n:]
	}
	return sum
}

// tableEnd reads a table from its end.
type tableEnd struct {
	f  *os.File
	at int64
}

// part reads what stands before its length of 4 bytes.
func (e *tableEnd) part() ([]byte, error) {
	head, err := e.take(4)
	if err != nil {
		return nil, err
	}
	return e.take(int64(binary.BigEndian.Uint32(head)))
}

func (e *tableEnd) take(n int64) ([]byte, error) {
	if n > e.at {
		return nil, errTable
	}
	e.at -= n
	b := make([]byte, n)
	_, err := e.f.ReadAt(b, e.at)
	return b, err
}

// verifyTables verifies the checksums of all blocks of all tables. Badger's own function panics
// where it finds one that does not hold.
func (s *Store) verifyTables() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &CorruptError{"a table", "a block's checksum", fmt.Errorf("%v", r)}
		}
	}()
	if err := s.db.VerifyChecksum(); err != nil {
		return &CorruptError{"a table", "a block's checksum", err}
	}
	return nil
}
