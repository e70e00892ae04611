package trade

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// journal keeps the latest value of every record in one file that is only appended to:
//
//	"WESJ" 1 | entries: length u32, CRC-32C u32, of what follows: name 32, value
//
// Integers are big-endian. An entry without a value removes the record. What is torn at the end,
// where a crash has ended an append, is cut off; damage elsewhere is an error. The file is written
// anew when it has grown to four times what it holds.
type journal struct {
	path string
	file *os.File
	size int64
	live map[chain.Hash]int64 // bytes of the latest entry
	held int64                // sum of live
}

const (
	journalMagic = "WESJ\x01"
	entryHead    = 8
	maxEntry     = 2 << 20
	compactAbove = 4 << 20
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// ErrJournal is returned for a journal that is damaged.
var ErrJournal = errors.New("damaged journal")

// openJournal returns what is stored, in no particular order.
func openJournal(path string) (*journal, []market.Record, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open journal: %w", err)
	}
	j := &journal{path: path, file: f, live: map[chain.Hash]int64{}}
	all, err := j.read()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open journal %s: %w", path, err), f.Close())
	}
	return j, all, nil
}

func (j *journal) read() ([]market.Record, error) {
	info, err := j.file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, j.begin()
	}
	r := bufio.NewReaderSize(j.file, 1<<16)
	head := make([]byte, len(journalMagic))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != journalMagic {
		return nil, fmt.Errorf("%w: it does not begin as one", ErrJournal)
	}
	j.size = int64(len(head))
	values := map[chain.Hash][]byte{}
	for {
		id, value, n, err := readEntry(r, info.Size()-j.size)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("at byte %d: %w", j.size, err)
		}
		j.note(id, n, len(value) > 0)
		values[id] = value
	}
	if err := j.file.Truncate(j.size); err != nil {
		return nil, err
	}
	if _, err := j.file.Seek(j.size, io.SeekStart); err != nil {
		return nil, err
	}
	var all []market.Record
	for id, v := range values {
		if len(v) > 0 {
			all = append(all, market.Record{ID: id, Bytes: v})
		}
	}
	return all, nil
}

func (j *journal) begin() error {
	if _, err := j.file.WriteString(journalMagic); err != nil {
		return err
	}
	j.size = int64(len(journalMagic))
	return j.file.Sync()
}

func (j *journal) note(id chain.Hash, n int64, value bool) {
	j.size += n
	j.held -= j.live[id]
	delete(j.live, id)
	if value {
		j.live[id] = n
		j.held += n
	}
}

// readEntry reads one of at most left bytes. io.EOF: there is none, or the last one is torn.
func readEntry(r io.Reader, left int64) (id chain.Hash, value []byte, n int64, err error) {
	var head [entryHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return id, nil, 0, io.EOF
	}
	size := int64(binary.BigEndian.Uint32(head[:]))
	if size < chain.HashSize || size > maxEntry {
		return id, nil, 0, fmt.Errorf("%w: entry of %d bytes", ErrJournal, size)
	}
	if size > left-entryHead {
		return id, nil, 0, io.EOF
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return id, nil, 0, io.EOF
	}
	if crc32.Checksum(body, crcTable) != binary.BigEndian.Uint32(head[4:]) {
		if size == left-entryHead {
			return id, nil, 0, io.EOF
		}
		return id, nil, 0, fmt.Errorf("%w: checksum", ErrJournal)
	}
	return chain.Hash(body[:chain.HashSize]), body[chain.HashSize:], entryHead + size, nil
}

// put stores records; they are durable when it returns.
func (j *journal) put(all ...market.Record) error {
	if len(all) == 0 {
		return nil
	}
	var b []byte
	for _, r := range all {
		b = appendEntry(b, r)
	}
	if _, err := j.file.Write(b); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("sync journal: %w", err)
	}
	for _, r := range all {
		j.note(r.ID, int64(entryHead+chain.HashSize+len(r.Bytes)), len(r.Bytes) > 0)
	}
	return nil
}

func appendEntry(b []byte, r market.Record) []byte {
	body := append(append([]byte(nil), r.ID[:]...), r.Bytes...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(body, crcTable))
	return append(b, body...)
}

// full reports whether the file should be written anew.
func (j *journal) full() bool { return j.size > compactAbove && j.size > 4*j.held }

// compact writes the file anew with just these records.
func (j *journal) compact(all []market.Record) error {
	next, err := os.CreateTemp(filepath.Dir(j.path), "journal-*")
	if err != nil {
		return fmt.Errorf("compact journal: %w", err)
	}
	defer os.Remove(next.Name()) // it has another name, if all went well
	b := []byte(journalMagic)
	for _, r := range all {
		b = appendEntry(b, r)
	}
	_, err = next.Write(b)
	if err == nil {
		err = next.Sync()
	}
	if err == nil {
		err = os.Rename(next.Name(), j.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("compact journal: %w", err), next.Close())
	}
	old := j.file
	j.file, j.size, j.held, j.live = next, int64(len(journalMagic)), 0, map[chain.Hash]int64{}
	for _, r := range all {
		j.note(r.ID, int64(entryHead+chain.HashSize+len(r.Bytes)), true)
	}
	return errors.Join(old.Close(), syncFolder(filepath.Dir(j.path)))
}

func (j *journal) close() error { return j.file.Close() }

// syncFolder makes names in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	_ = d.Sync() // some file systems know no such thing
	return d.Close()
}
