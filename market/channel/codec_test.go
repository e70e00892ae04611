package channel

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// format is a decoder and an encoding that it reads.
type format struct {
	name   string
	sample []byte
	limit  int
	// again decodes and encodes.
	again func(b []byte) ([]byte, error)
}

// busy is a pair with something in every field of both records.
func busy(t testing.TB) *pair {
	p := newPair(t, terms(1000, 10), Options{})
	p.pay(job("1", 100, 7, owner))
	p.pay(job("2", 100, 3, stranger))
	third := job("3", 100, 7, owner)
	p.begin(third)
	p.voucher(third)
	p.begin(job("4", 50, 0))
	p.client(p.payer.Reserve(start, job("5", 60, 1, owner)))
	p.operator(p.payee.Accept(start, job("5", 60, 1, owner)))
	return p
}

func formats(t testing.TB) []format {
	p := busy(t)
	a, ack := p.payer.Announce(), p.payee.Ack()
	return []format{
		{"announce", a.Encode(), MaxAnnounce, func(b []byte) ([]byte, error) {
			return again(DecodeAnnounce(b))
		}},
		{"voucher", p.outbox()[0].Encode(), MaxVoucher, func(b []byte) ([]byte, error) {
			return again(DecodeVoucher(b))
		}},
		{"payments", (&Payments{Channel: p.payer.ID(), Vouchers: p.outbox(), Close: true}).Encode(), MaxPayments, func(b []byte) ([]byte, error) {
			return again(DecodePayments(b))
		}},
		{"ack", ack.Encode(), MaxAck, func(b []byte) ([]byte, error) {
			return again(DecodeAck(b))
		}},
		{"payer", p.payer.Record().Bytes, MaxRecord, func(b []byte) ([]byte, error) {
			p, err := RestorePayer(b)
			if err != nil {
				return nil, err
			}
			return p.Record().Bytes, nil
		}},
		{"payee", p.payee.Record().Bytes, MaxRecord, func(b []byte) ([]byte, error) {
			p, err := RestorePayee(Options{}, b)
			if err != nil {
				return nil, err
			}
			return p.Record().Bytes, nil
		}},
	}
}

func again(v interface{ Encode() []byte }, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return v.Encode(), nil
}

func TestGoldenFilesFixTheFormats(t *testing.T) {
	for _, f := range formats(t) {
		golden(t, f.name, f.sample)
	}
	p := busy(t)
	a := p.payer.Announce()
	id, lock := a.ID(), a.Terms.Output()
	golden(t, "identities", bytes.Join([][]byte{id[:], p.payer.latest.Receipt[:]}, nil))
	golden(t, "funding", lock.Encode())
	golden(t, "closing", a.closing(&p.payer.latest).Encode())
	golden(t, "reclaim", a.reclaim().Encode())
}

// golden compares with testdata/NAME.hex: lines of 32 bytes.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".hex")
	if *update {
		var text strings.Builder
		for i := 0; i < len(got); i += 32 {
			fmt.Fprintf(&text, "%x\n", got[i:min(i+32, len(got))])
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the encoding of %s changed:\n got %x\nwant %x", name, got, want)
	}
}

func TestDecodeInvertsEncode(t *testing.T) {
	for _, f := range formats(t) {
		got, err := f.again(f.sample)
		if err != nil || !bytes.Equal(got, f.sample) {
			t.Errorf("%s: %v\n got %x\nwant %x", f.name, err, got, f.sample)
		}
	}
}

func TestOneEncodingOnlyIsRead(t *testing.T) {
	for _, f := range formats(t) {
		for name, b := range map[string][]byte{
			"nothing":        nil,
			"cut":            f.sample[:len(f.sample)-1],
			"a byte more":    append(bytes.Clone(f.sample), 0),
			"too long":       make([]byte, f.limit+1),
			"a map":          {0xa0},
			"of no fields":   {0x80},
			"not definite":   append([]byte{0x9f}, append(bytes.Clone(f.sample[1:]), 0xff)...),
			"a longer head":  append([]byte{0x98, f.sample[0] & 31}, f.sample[1:]...),
			"of null fields": append([]byte{f.sample[0]}, bytes.Repeat([]byte{0xf6}, int(f.sample[0]&31))...),
		} {
			t.Run(f.name+" "+name, func(t *testing.T) {
				_, err := f.again(b)
				expect(t, err, ErrMalformed)
			})
		}
	}
}

// TestRecordsKeepTheirInvariants restores states that no run leads to.
func TestRecordsKeepTheirInvariants(t *testing.T) {
	one := job("extra", 1, 0)
	for name, spoil := range map[string]func(*payerState){
		"another format":      func(s *payerState) { s.Format++ },
		"no version":          func(s *payerState) { s.Version = 0 },
		"terms":               func(s *payerState) { s.Announce.Terms.Cap = 0 },
		"paid above the cap":  func(s *payerState) { s.Acked.Paid = 1001 },
		"more jobs than paid": func(s *payerState) { s.Acked.N = s.Acked.Paid + 1 },
		"reserved above":      func(s *payerState) { s.Reserved = append(s.Reserved, job("6", 1000, 0)) },
		"sums that wrap": func(s *payerState) {
			s.Reserved = append(s.Reserved, job("6", 1<<63, 0), job("7", 1<<63, 0))
		},
		"job twice":           func(s *payerState) { s.Reserved = append(s.Reserved, s.Pending[0].Job) },
		"job for nothing":     func(s *payerState) { s.Reserved[0].Price = 0 },
		"owners out of order": func(s *payerState) { s.Acked.Owners[0], s.Acked.Owners[1] = s.Acked.Owners[1], s.Acked.Owners[0] },
		"owner of nothing":    func(s *payerState) { s.Acked.Owners[0].Amount = 0 },
		"lock of no owner":    func(s *payerState) { s.Acked.Owners = s.Acked.Owners[:1]; s.Acked.Owners[0].Owner = []byte{1} },
		"royalties above":     func(s *payerState) { s.Acked.Owners[0].Amount = 1 << 63; s.Acked.Owners[1].Amount = 1 << 63 },
		"paid by no jobs":     func(s *payerState) { s.Acked.N = 0 },
		"jobs for nothing":    func(s *payerState) { s.Acked = totals{N: 1, Receipt: s.Acked.Receipt} },
		"another beginning":   func(s *payerState) { s.Acked = totals{Receipt: hash("other")} },
		"too many jobs": func(s *payerState) {
			for i := range MaxUnpaid {
				s.Reserved = append(s.Reserved, job(fmt.Sprint("more ", i), 1, 0))
			}
		},
		"too many owners": func(s *payerState) {
			for i := range MaxOwners {
				j := job(fmt.Sprint("more ", i), 1, 1, owner)
				j.Owner[len(j.Owner)-1] = byte(i)
				s.Reserved = append(s.Reserved, j)
			}
		},
	} {
		t.Run("payer "+name, func(t *testing.T) {
			s := busy(t).payer.state
			spoil(&s)
			_, err := RestorePayer(encode(&s))
			expect(t, err, ErrMalformed)
		})
	}
	for name, spoil := range map[string]func(*payeeState){
		"another format":     func(s *payeeState) { s.Format++ },
		"terms":              func(s *payeeState) { s.Announce.Terms.Client = s.Announce.Terms.Operator },
		"another sum":        func(s *payeeState) { s.Totals.Paid++ },
		"paid above the cap": func(s *payeeState) { s.Totals.Paid = 1 << 63 },
		"no signature":       func(s *payeeState) { s.Signature = [64]byte{} },
		"signature of none": func(s *payeeState) {
			s.Totals, s.Recent = totals{Receipt: s.Announce.ID()}, nil
		},
		"job twice":            func(s *payeeState) { s.Unpaid = append(s.Unpaid, s.Unpaid[0]) },
		"accepted above":       func(s *payeeState) { s.Unpaid[0].Job.Price = 1000 },
		"fewer paid than paid": func(s *payeeState) { s.Recent = s.Recent[:1] },
		"more paid than paid":  func(s *payeeState) { s.Recent = append(s.Recent, one.ID) },
	} {
		t.Run("payee "+name, func(t *testing.T) {
			s := busy(t).payee.state
			spoil(&s)
			_, err := RestorePayee(Options{}, encode(&s))
			expect(t, err, ErrMalformed)
		})
	}
}

func fuzzFormat(f *testing.F, name string) {
	for _, format := range formats(f) {
		if format.name != name {
			continue
		}
		f.Add(format.sample)
		f.Add(format.sample[:len(format.sample)/2])
		f.Fuzz(func(t *testing.T, b []byte) {
			got, err := format.again(b)
			if err == nil && !bytes.Equal(got, b) {
				t.Fatalf("two encodings of one value:\n%x\n%x", b, got)
			}
		})
	}
}

func FuzzDecodeAnnounce(f *testing.F) { fuzzFormat(f, "announce") }

func FuzzDecodeVoucher(f *testing.F) { fuzzFormat(f, "voucher") }

func FuzzDecodePayments(f *testing.F) { fuzzFormat(f, "payments") }

func FuzzDecodeAck(f *testing.F) { fuzzFormat(f, "ack") }

func FuzzRestorePayee(f *testing.F) { fuzzFormat(f, "payee") }

// FuzzRestorePayer uses what it restores: a state that passes the checks breaks nothing later.
func FuzzRestorePayer(f *testing.F) {
	p := busy(f)
	f.Add(p.payer.Record().Bytes)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := RestorePayer(b)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Record().Bytes, b) {
			t.Fatal("two encodings of one state")
		}
		before := p.Room() + p.Cost()
		for _, j := range p.state.Reserved {
			before += j.cost()
		}
		if limit := p.state.Announce.Terms.Limit(); before != limit {
			t.Fatalf("%d of %d are accounted for", before, limit)
		}
		for len(p.state.Reserved) > 0 && !p.state.Closed {
			if _, err := p.Pay(0, p.state.Reserved[0].ID, hash("output")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := p.Acknowledged(&Ack{Channel: p.id, N: p.stored.n}); err != nil {
			t.Fatal(err)
		}
	})
}
