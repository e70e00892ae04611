package market

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain"
)

var update = flag.Bool("update", false, "write the golden files and docs/market-codes.md")

// format is a decoder with a sample of what it reads.
type format struct {
	name   string
	sample func() any
	decode func([]byte) (any, error)
}

func formatOf[T any](name string, sample func() *T, limit int) format {
	return format{name, func() any { return sample() }, func(b []byte) (any, error) {
		v, err := decode[T](b, limit)
		if err != nil {
			return nil, err
		}
		return v, nil
	}}
}

// exported has a format read by the function that others call.
func exported[T any](name string, sample func() *T, read func([]byte) (*T, error)) format {
	return format{name, func() any { return sample() }, func(b []byte) (any, error) {
		v, err := read(b)
		if err != nil {
			return nil, err
		}
		return v, nil
	}}
}

func formats() []format {
	return []format{
		exported("ask", sampleAsk, DecodeAsk),
		exported("bid", func() *Answer { return &Answer{Bid: []Bid{sampleBid()}} }, DecodeAnswer),
		exported("refusal", func() *Answer { return &Answer{Refusal: []Refusal{sampleRefusal()}} }, DecodeAnswer),
		exported("award", sampleAward, DecodeAward),
		exported("countersigned", func() *Countersigned { return &Countersigned{Partial: []byte("partial")} }, DecodeCountersigned),
		exported("start", func() *Start { return &Start{Job: hashOf("job"), Tx: []byte("tx"), Witness: []byte("witness")} }, DecodeStart),
		exported("collect", func() *Collect { return &Collect{Job: hashOf("job"), Seen: 7, Reveal: true} }, DecodeCollect),
		exported("delivery", sampleDelivery, DecodeDelivery),
		exported("advert", sampleAdvert, DecodeAdvert),
		formatOf("purchase", samplePurchase, maxRecord),
		formatOf("sale", sampleSale, maxRecord),
		formatOf("standings", func() *[]Standing {
			return &[]Standing{{Operator: publicOf("operator"), Done: 5, Broken: 2, Lied: 1_700_000_000_000, Used: 1_700_000_000_001}}
		}, maxRecord),
	}
}

func samplePurchase() *Purchase {
	bid := sampleBid()
	return &Purchase{
		ID: hashOf("job"), Group: hashOf("first"), Nonce: [16]byte{1}, Terms: sampleTerms(), MaxPrice: 1000, Deadline: 1_700_000_100_000,
		Submitted: 1_700_000_000_000, Phase: uint8(accepting), Assignment: Assigned,
		Execution: Done, Settlement: Escrowed, Code: CodeClaimed, Text: "text", Round: 2, Closes: 1_700_000_000_500, Sought: 1_700_000_030_000,
		Waiting: []Contact{sampleContact()}, Bids: []Received{{From: sampleContact(), Bid: bid, Posted: true, Expired: true}},
		Declines: []Declined{{From: sampleContact(), Refusal: sampleRefusal()}}, Attempt: 1, Within: 1_700_000_001_000,
		Operator: []Contact{sampleContact()}, Agreed: []Bid{bid}, Channel: hashOf("channel"), Escrow: sampleAward().Escrow, At: Ref{Tx: hashOf("fund"), Index: 1},
		Until: 1_700_000_600_000, Funded: 1_700_000_002_000, Started: 1_700_000_002_001, Delivered: 1_700_000_003_000,
		Result: sampleDelivery().Result, Signature: sampleDelivery().Signature, Revealed: true, Output: hashOf("output"),
		Proof: hashOf("proof"), Checked: true, Exiting: ExitAccept, ExitedAt: 1_700_000_004_000, ExitTx: hashOf("accept"),
		View: sampleView(), AuditAt: 1_700_000_005_000, Lapsed: 70, Reliability: true,
	}
}

func sampleSale() *Sale {
	return &Sale{
		ID: hashOf("job"), Terms: sampleTerms(), Nonce: [16]byte{1}, Client: "peer", Bid: sampleBid(), Signed: 1_700_000_000_000,
		Phase: uint8(ready), Execution: Done, Code: CodeDevice, Text: "text", Channel: hashOf("channel"), Escrow: sampleAward().Escrow, At: Ref{Tx: hashOf("fund"), Index: 1},
		Until: 1_700_000_600_000, Idle: true, Lapsed: 70, Version: 4, Class: "cpu", Attempts: 2, CPU: true, Began: 1_700_000_001_000, Took: 500,
		Output: hashOf("output"), Proof: hashOf("proof"), Finished: 1_700_000_001_500, Offered: 1_700_000_001_600, Sealed: true, Delivered: 1_700_000_002_000,
		Settlement: Escrowed, Funding: 1_700_000_000_500, Exiting: ExitProve, ExitedAt: 1_700_000_003_000, ExitTx: hashOf("prove"),
		View: sampleView(),
	}
}

func TestGoldenFilesFixTheFormats(t *testing.T) {
	for _, f := range formats() {
		t.Run(f.name, func(t *testing.T) {
			golden(t, f.name, encode(f.sample()))
			if unset := zeros(reflect.ValueOf(f.sample()).Elem(), f.name); len(unset) > 0 && f.name != "bid" && f.name != "refusal" && f.name != "countersigned" {
				t.Errorf("the sample does not set %v", unset)
			}
		})
	}
}

// zeros lists the fields that are zero.
func zeros(v reflect.Value, name string) (all []string) {
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Name != "_" {
				all = append(all, zeros(v.Field(i), name+"."+f.Name)...)
			}
		}
	case v.Kind() == reflect.Slice && v.Len() > 0:
		return zeros(v.Index(0), name+"[0]")
	case v.IsZero():
		return []string{name}
	}
	return all
}

// golden compares with testdata/NAME.hex: lines of 32 bytes.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".hex")
	if *update {
		var text strings.Builder
		for i := 0; i < len(got); i += 32 {
			text.WriteString(hex.EncodeToString(got[i:min(i+32, len(got))]) + "\n")
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
	for _, f := range formats() {
		got, err := f.decode(encode(f.sample()))
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		if !reflect.DeepEqual(got, f.sample()) && !bytes.Equal(encode(got), encode(f.sample())) {
			t.Errorf("%s: got %+v", f.name, got)
		}
	}
}

// TestOnlyTheOneEncodingIsRead cuts, extends and changes every byte of the samples.
func TestOnlyTheOneEncodingIsRead(t *testing.T) {
	for _, f := range formats() {
		t.Run(f.name, func(t *testing.T) {
			good := encode(f.sample())
			for n := range good {
				if _, err := f.decode(good[:n]); !errors.Is(err, ErrMessage) {
					t.Fatalf("%d of %d bytes: %v", n, len(good), err)
				}
			}
			if _, err := f.decode(append(bytes.Clone(good), 0)); !errors.Is(err, ErrMessage) {
				t.Fatalf("a byte more: %v", err)
			}
			for i := range good {
				for _, change := range []byte{1, 0x20, 0x80, 0xff} {
					b := bytes.Clone(good)
					b[i] ^= change
					if v, err := f.decode(b); err == nil && !bytes.Equal(encode(v), b) {
						t.Fatalf("byte %d changed by %x: read, but not the encoding of what was read", i, change)
					}
				}
			}
		})
	}
}

func TestMessagesAreBounded(t *testing.T) {
	limits := map[string]int{
		"ask": MaxAsk, "bid": MaxAsk, "refusal": MaxAsk, "award": MaxAward, "countersigned": MaxStart, "start": MaxStart, "collect": MaxCollect,
		"delivery": MaxDelivery, "advert": MaxAdvert, "purchase": maxRecord, "sale": maxRecord, "standings": maxRecord,
	}
	for _, f := range formats() {
		if _, err := f.decode(make([]byte, limits[f.name]+1)); !errors.Is(err, ErrMessage) || !strings.Contains(err.Error(), "at most") {
			t.Errorf("%s of more than its limit: %v", f.name, err)
		}
	}
}

func TestTermsThatCannotBeAJobAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Terms){
		"no kind":                  func(x *Terms) { x.Kind = 0 },
		"unknown kind":             func(x *Terms) { x.Kind = 9 },
		"no level":                 func(x *Terms) { x.Level = 0 },
		"unknown level":            func(x *Terms) { x.Level = 3 },
		"optimistic circuit":       func(x *Terms) { x.Kind = chain.JobProve },
		"no key":                   func(x *Terms) { x.KeyLen = 0 },
		"key too long":             func(x *Terms) { x.KeyLen = chain.MaxKeySize + 1 },
		"payload too long":         func(x *Terms) { x.PayloadLen = MaxPayload + 1 },
		"payload not the input":    func(x *Terms) { x.Payload[0]++ },
		"royalty to nobody":        func(x *Terms) { x.Owner = nil },
		"owner without royalty":    func(x *Terms) { x.Royalty = 0 },
		"owner that is not a lock": func(x *Terms) { x.Owner = []byte("owner") },
	} {
		a := sampleAsk()
		change(&a.Terms)
		if _, err := DecodeAsk(a.Encode()); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFieldsOutOfBoundsAreRefused(t *testing.T) {
	long := strings.Repeat("x", 300)
	for name, message := range map[string]any{
		"bid without price":        change(sampleBidAnswer, func(a *Answer) { a.Bid[0].Price = 0 }),
		"bid without promise":      change(sampleBidAnswer, func(a *Answer) { a.Bid[0].Promise = 0 }),
		"promise of weeks":         change(sampleBidAnswer, func(a *Answer) { a.Bid[0].Promise = MaxPromise*1000 + 1 }),
		"bid of a long class":      change(sampleBidAnswer, func(a *Answer) { a.Bid[0].Class = long }),
		"bid of two bonds":         change(sampleBidAnswer, func(a *Answer) { a.Bid[0].Bond = make([]Ref, 2) }),
		"fee that overflows":       change(sampleBidAnswer, func(a *Answer) { a.Bid[0].ProveFee = 1<<62 + 1 }),
		"two bids":                 change(sampleBidAnswer, func(a *Answer) { a.Bid = append(a.Bid, a.Bid[0]) }),
		"bid and refusal":          change(sampleBidAnswer, func(a *Answer) { a.Refusal = []Refusal{sampleRefusal()} }),
		"neither":                  &Answer{},
		"refusal without code":     &Answer{Refusal: []Refusal{{Text: "no"}}},
		"refusal of a long code":   &Answer{Refusal: []Refusal{{Code: Code(long)}}},
		"refusal of a long text":   &Answer{Refusal: []Refusal{{Code: CodeBusy, Text: long}}},
		"text that is not UTF-8":   &Answer{Refusal: []Refusal{{Code: CodeBusy, Text: "\xff"}}},
		"payload of another size":  change(sampleAward, func(a *Award) { a.Payload = nil }),
		"escrow too long":          change(sampleAward, func(a *Award) { a.Escrow = make([]byte, chain.MaxStateData+1) }),
		"award of a bad ask":       change(sampleAward, func(a *Award) { a.Ask.Terms.Kind = 0 }),
		"award of a bad bid":       change(sampleAward, func(a *Award) { a.Bid.Price = 0 }),
		"half and refusal":         &Countersigned{Partial: []byte{1}, Refusal: []Refusal{sampleRefusal()}},
		"two refusals":             &Countersigned{Refusal: []Refusal{sampleRefusal(), sampleRefusal()}},
		"refusal out of bounds":    &Countersigned{Refusal: []Refusal{{}}},
		"output too long":          change(sampleDelivery, func(d *Delivery) { d.Output = make([]byte, MaxOutput+1) }),
		"proof too long":           change(sampleDelivery, func(d *Delivery) { d.Proof = make([]byte, MaxProof+1) }),
		"stage too long":           change(sampleDelivery, func(d *Delivery) { d.Stage = long }),
		"code too long":            change(sampleDelivery, func(d *Delivery) { d.Code = Code(long) }),
		"device too long":          change(sampleDelivery, func(d *Delivery) { d.Device = long }),
		"execution unknown":        change(sampleDelivery, func(d *Delivery) { d.Execution = "resting" }),
		"result without signature": change(sampleDelivery, func(d *Delivery) { d.Signature = nil }),
		"peer too long":            change(sampleAdvert, func(a *Advert) { a.Peer = long }),
		"address too long":         change(sampleAdvert, func(a *Advert) { a.Addresses[0] = long }),
		"too many addresses":       change(sampleAdvert, func(a *Advert) { a.Addresses = make([]string, maxAddress+1) }),
		"advert of a long class":   change(sampleAdvert, func(a *Advert) { a.Class = long }),
		"too many offers":          change(sampleAdvert, func(a *Advert) { a.Offers = make([]Offer, MaxOffers+1) }),
		"advert that ends before":  change(sampleAdvert, func(a *Advert) { a.Expiry = a.Issued - 1 }),
		"advert that stands long":  change(sampleAdvert, func(a *Advert) { a.Expiry = a.Issued + MaxAdvertTime + 1 }),
		"offer without price":      change(sampleAdvert, func(a *Advert) { a.Offers[0].Price = 0 }),
		"offer without promise":    change(sampleAdvert, func(a *Advert) { a.Offers[0].Promise = 0 }),
		"offer of a great fee":     change(sampleAdvert, func(a *Advert) { a.Offers[0].ProveFee = 1<<62 + 1 }),
	} {
		if err := read(message); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func sampleBidAnswer() *Answer { return &Answer{Bid: []Bid{sampleBid()}} }

func change[T any](sample func() *T, f func(*T)) *T {
	v := sample()
	f(v)
	return v
}

// read decodes the encoding of a message as its receiver does.
func read(message any) (err error) {
	switch m := message.(type) {
	case *Answer:
		_, err = DecodeAnswer(m.Encode())
	case *Award:
		_, err = DecodeAward(m.Encode())
	case *Countersigned:
		_, err = DecodeCountersigned(m.Encode())
	case *Delivery:
		_, err = DecodeDelivery(m.Encode())
	case *Advert:
		_, err = DecodeAdvert(m.Encode())
	}
	return err
}

func TestAdvertsAreSignedWhole(t *testing.T) {
	if !sampleAdvert().Signed() {
		t.Fatal("the operator's own signature does not hold")
	}
	for name, f := range map[string]func(*Advert){
		"price":    func(a *Advert) { a.Offers[0].Price++ },
		"operator": func(a *Advert) { a.Operator = publicOf("other") },
		"peer":     func(a *Advert) { a.Peer = "other" },
		"expiry":   func(a *Advert) { a.Expiry-- },
		"chain":    func(a *Advert) { a.Chain[0]++ },
	} {
		if change(sampleAdvert, f).Signed() {
			t.Errorf("the signature holds for another %s", name)
		}
	}
}

func TestRecordsAreKeptUnderTheirNames(t *testing.T) {
	b := NewBuyer(BuyerConfig{})
	if err := b.Load(Record{hashOf("other"), encode(samplePurchase())}); !errors.Is(err, ErrMessage) {
		t.Errorf("purchase under another name: %v", err)
	}
	s := NewSeller(SellerConfig{}, nil)
	if err := s.Load(Record{hashOf("other"), encode(sampleSale())}); !errors.Is(err, ErrMessage) {
		t.Errorf("sale under another name: %v", err)
	}
	if err := b.Load(Record{historyID(), []byte{1}}); !errors.Is(err, ErrMessage) {
		t.Errorf("standings that are none: %v", err)
	}
}

// TestRecordsOfAnyTextAreReadAgain guards what strangers and the machine's own errors say.
func TestRecordsOfAnyTextAreReadAgain(t *testing.T) {
	for _, text := range []string{"\xff\xfe", strings.Repeat("é", 200), strings.Repeat("x", 255) + "é", strings.Repeat("\xa9", 300)} {
		p := samplePurchase()
		p.Text = clip(text)
		if len(p.Text) > 256 {
			t.Errorf("%d bytes are left of %q", len(p.Text), text)
		}
		if err := NewBuyer(BuyerConfig{}).Load(Record{p.ID, encode(p)}); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
