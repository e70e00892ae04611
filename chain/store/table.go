package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
)

var errTable = errors.New("its end does not lead to an index")

// inspect does for a folder that no process has open what Badger does not do when it opens it,
// and reports whether it has tables.
func inspect(dir string) (used bool, err error) {
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		return false, err
	}
	return len(tables) > 0, errors.Join(removeEmptyLogs(dir), checkTables(dir))
}

// removeEmptyLogs removes logs of recent writes and of values that a crash left between their
// creation and their first byte. Badger refuses to open a folder with one.
func removeEmptyLogs(dir string) error {
	recent, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		return err
	}
	values, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
	if err != nil {
		return err
	}
	for _, name := range append(recent, values...) {
		info, err := os.Stat(name)
		if err == nil && info.Size() == 0 {
			err = os.Remove(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkTables requires of all tables that the manifest lists that their index is whole. Badger
// ends the process for a table whose end does not say where its index is.
func checkTables(dir string) error {
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	m, _, err := badger.ReplayManifestFile(f, 0, badger.Options{Logger: logger{}})
	if err != nil {
		return &CorruptError{"manifest of tables", "can't be read", err}
	}
	for id := range m.Tables {
		name := table.NewFilename(id, dir)
		if err := checkTable(name); err != nil {
			return &CorruptError{"table " + filepath.Base(name), "can't be opened", err}
		}
	}
	return nil
}

// checkTable reads the end of a table: index, its length (4 bytes, big-endian), a message
// pb.Checksum of the index, its length (4 bytes). See Builder.Done in Badger's table package.
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
