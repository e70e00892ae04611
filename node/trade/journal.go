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
//	"WESJ" 1 | entries: length u32, CRC-32C u32, of what follows: records: name 32, length u32, value
//
// Integers are big-endian. A record without a value removes the one of its name. What is appended at
// once is one entry, so that all of it is there after a crash, or nothing. What a crash has left of an
// entry at the end is cut off; an entry that is damaged before a whole one is an error. The file is
// written anew when it has grown to four times what it holds.
type journal struct {
	path string
	file *os.File
	size int64
	live map[chain.Hash]int64 // bytes of the latest record
	held int64                // sum of live
}

const (
	journalMagic = "WESJ\x01"
	entryHead    = 8
	recordHead   = chain.HashSize + 4
	maxEntry     = 4 << 20
	// maxTorn bounds what is cut off. More than an entry is torn where some were appended at once.
	maxTorn      = 16 * maxEntry
	compactAbove = 4 << 20
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// ErrJournal is returned for a journal that is damaged.
var ErrJournal = errors.New("damaged journal")

// openJournal returns what is stored, in no particular order.
func openJournal(path string) (*journal, []market.Record, error) {
	if err := clearNew(path); err != nil {
		return nil, nil, fmt.Errorf("open journal: %w", err)
	}
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

// clearNew removes files that a crash has left of a compaction.
func clearNew(path string) error {
	left, err := filepath.Glob(path + "-*")
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

func (j *journal) read() ([]market.Record, error) {
	info, err := j.file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < int64(len(journalMagic)) { // new, or a crash has left it so
		return nil, j.begin()
	}
	r := bufio.NewReaderSize(j.file, 1<<16)
	head := make([]byte, len(journalMagic))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != journalMagic {
		return nil, fmt.Errorf("%w: it does not begin as one", ErrJournal)
	}
	j.size = int64(len(head))
	values := map[chain.Hash][]byte{}
	for j.size < info.Size() {
		all, n, err := readEntry(r, info.Size()-j.size)
		if errors.Is(err, errEntry) {
			err = j.torn(info.Size() - j.size)
			if err == nil {
				break
			}
		}
		if err != nil {
			return nil, fmt.Errorf("at byte %d: %w", j.size, err)
		}
		for _, x := range all {
			values[x.ID] = x.Bytes
		}
		j.note(n, all)
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
	if err := j.file.Truncate(0); err != nil {
		return err
	}
	if _, err := j.file.WriteString(journalMagic); err != nil {
		return err
	}
	j.size = int64(len(journalMagic))
	return errors.Join(j.file.Sync(), syncFolder(filepath.Dir(j.path)))
}

// note follows an entry of n bytes.
func (j *journal) note(n int64, all []market.Record) {
	j.size += n
	for _, r := range all {
		j.held -= j.live[r.ID]
		delete(j.live, r.ID)
		if len(r.Bytes) > 0 {
			j.live[r.ID] = int64(recordHead + len(r.Bytes))
			j.held += j.live[r.ID]
		}
	}
}

// errEntry marks bytes that are no entry.
var errEntry = errors.New("no whole entry")

// readEntry reads one of at most left bytes, and returns its length with its head.
func readEntry(r io.Reader, left int64) ([]market.Record, int64, error) {
	if left < entryHead {
		return nil, 0, errEntry
	}
	b := make([]byte, entryHead)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, 0, err
	}
	size := int64(binary.BigEndian.Uint32(b))
	if size > maxEntry || size > left-entryHead {
		return nil, 0, errEntry
	}
	b = append(b, make([]byte, size)...)
	if _, err := io.ReadFull(r, b[entryHead:]); err != nil {
		return nil, 0, err
	}
	all, ok := decodeEntry(b)
	if !ok {
		return nil, 0, errEntry
	}
	return all, int64(len(b)), nil
}

// decodeEntry reads the entry that b begins with; false if there is no whole one.
func decodeEntry(b []byte) (all []market.Record, ok bool) {
	if len(b) < entryHead {
		return nil, false
	}
	size := int(binary.BigEndian.Uint32(b))
	if size < recordHead || size > maxEntry || size > len(b)-entryHead {
		return nil, false
	}
	sum, body := binary.BigEndian.Uint32(b[4:]), b[entryHead:entryHead+size]
	for rest := body; len(rest) > 0; {
		if len(rest) < recordHead {
			return nil, false
		}
		n := int64(binary.BigEndian.Uint32(rest[chain.HashSize:]))
		if n > int64(len(rest)-recordHead) {
			return nil, false
		}
		all = append(all, market.Record{ID: chain.Hash(rest[:chain.HashSize]), Bytes: rest[recordHead : recordHead+n]})
		rest = rest[recordHead+n:]
	}
	return all, crc32.Checksum(body, crcTable) == sum
}

// torn requires that the last bytes of the file, which begin with no whole entry, have none in them.
func (j *journal) torn(left int64) error {
	if left > maxTorn {
		return fmt.Errorf("%w: %d bytes after the last whole entry", ErrJournal, left)
	}
	rest := make([]byte, left)
	if _, err := j.file.ReadAt(rest, j.size); err != nil {
		return err
	}
	for i := range rest {
		if _, whole := decodeEntry(rest[i:]); whole {
			return fmt.Errorf("%w: an entry before byte %d", ErrJournal, j.size+int64(i))
		}
	}
	return nil
}

// put stores records; they are durable when it returns. After an error the journal is of no use.
func (j *journal) put(all ...market.Record) error {
	if len(all) == 0 {
		return nil
	}
	b, err := appendEntries(nil, all)
	if err == nil {
		_, err = j.file.Write(b)
	}
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("sync journal: %w", err)
	}
	j.note(int64(len(b)), all)
	return nil
}

// appendEntries appends records as one entry or, if that would be too long, as some.
func appendEntries(b []byte, all []market.Record) ([]byte, error) {
	for len(all) > 0 {
		body := make([]byte, 0, 4096)
		n := 0
		for ; n < len(all) && (n == 0 || len(body)+recordHead+len(all[n].Bytes) <= maxEntry); n++ {
			body = append(body, all[n].ID[:]...)
			body = binary.BigEndian.AppendUint32(body, uint32(len(all[n].Bytes)))
			body = append(body, all[n].Bytes...)
		}
		if len(body) > maxEntry {
			return nil, fmt.Errorf("record of %d bytes, at most %d", len(all[0].Bytes), maxEntry-recordHead)
		}
		b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
		b = binary.BigEndian.AppendUint32(b, crc32.Checksum(body, crcTable))
		b, all = append(b, body...), all[n:]
	}
	return b, nil
}

// full reports whether the file should be written anew.
func (j *journal) full() bool { return j.size > compactAbove && j.size > 4*j.held }

// compact writes the file anew with just these records.
func (j *journal) compact(all []market.Record) error {
	next, err := os.CreateTemp(filepath.Dir(j.path), filepath.Base(j.path)+"-*")
	if err != nil {
		return fmt.Errorf("compact journal: %w", err)
	}
	defer os.Remove(next.Name()) // it has another name, if all went well
	b, err := appendEntries([]byte(journalMagic), all)
	if err == nil {
		_, err = next.Write(b)
	}
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
	j.file, j.size, j.held, j.live = next, 0, 0, map[chain.Hash]int64{}
	j.note(int64(len(b)), all)
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
