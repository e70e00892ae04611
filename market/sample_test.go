package market

import (
	"crypto/ed25519"
	"crypto/sha256"

	"github.com/weisyn/wes/chain"
)

// The samples set every field, so that their golden files fix every field.

func hashOf(s string) chain.Hash { return sha256.Sum256([]byte(s)) }

func keyOf(s string) ed25519.PrivateKey {
	h := hashOf(s)
	return ed25519.NewKeyFromSeed(h[:])
}

func publicOf(s string) chain.PublicKey {
	return chain.PublicKey(keyOf(s).Public().(ed25519.PublicKey))
}

func sampleTerms() Terms {
	return Terms{
		Kind: chain.JobInfer, Level: chain.LevelOptimistic, Program: Ref{Tx: hashOf("program"), Index: 3}, Key: hashOf("key"),
		KeyLen: 700, KeyCost: 5000, Model: hashOf("model"), Input: hashOf("input"), Payload: hashOf("input"), PayloadLen: 5,
		Token: hashOf("token"), Client: publicOf("client"), Owner: chain.EncodeLock(chain.Key{Key: publicOf("owner")}), Royalty: 77,
	}
}

func sampleAsk() *Ask {
	return &Ask{
		Terms: sampleTerms(), Nonce: [16]byte{1, 2, 3}, Reserve: 1000, Deadline: 1_700_000_100_000,
		Signature: [ed25519.SignatureSize]byte{7},
	}
}

func sampleBid() Bid {
	return Bid{
		Ask: sampleAsk().Hash(), Operator: publicOf("operator"), Price: 900, Promise: 30_000, Class: "cpu", ProveFee: 40,
		Bond: []Ref{{Tx: hashOf("bond"), Index: 2}}, Expiry: 1_700_000_010_000,
	}
}

func sampleRefusal() Refusal {
	return Refusal{Code: CodePrice, Price: 1100, Wait: 5000, Text: "too little"}
}

func sampleAward() *Award {
	p := chain.DefaultParams()
	ask, bid := sampleAsk(), sampleBid()
	e := ask.Terms.Escrow(ask.Terms.JobID(hashOf("chain"), ask.Nonce), &bid, &p, 1_700_000_000_000)
	return &Award{Ask: *ask, Bid: bid, Posted: true, Channel: hashOf("channel"), Escrow: e.State().Data, Offer: []byte("offer"), Payload: []byte("input")}
}

func sampleDelivery() *Delivery {
	r := chain.Result{
		Kind: chain.JobInfer, Key: hashOf("key"), Job: hashOf("job"), Model: hashOf("model"), Input: hashOf("input"), Output: hashOf("output"),
	}
	d := r.Digest(hashOf("chain"))
	return &Delivery{
		Job: r.Job, Version: 9, Execution: Done, Code: CodeLate, Stage: "open", Done: 3, Total: 4, Device: "cpu",
		Result: r.Encode(), Signature: ed25519.Sign(keyOf("operator"), d[:]), Revealed: true, Output: []byte("output"), Proof: []byte("proof"),
	}
}

func sampleAdvert() *Advert {
	a := &Advert{
		Chain: hashOf("chain"), Operator: publicOf("operator"), Peer: "peer", Addresses: []string{"/ip4/10.0.0.1/tcp/1"}, Class: "cpu",
		Token: hashOf("token"), Any: true, Channels: true, Issued: 1_700_000_000_000, Expiry: 1_700_000_000_000 + MaxAdvertTime,
		Offers: []Offer{{Program: Ref{Tx: hashOf("program"), Index: 3}, Level: chain.LevelZK, Price: 900, Promise: 30_000, ProveFee: 40, Posted: true}},
	}
	d := a.Digest()
	a.Signature = [ed25519.SignatureSize]byte(ed25519.Sign(keyOf("operator"), d[:]))
	return a
}

func sampleContact() Contact {
	return Contact{Operator: publicOf("operator"), Peer: "peer", Addresses: []string{"/ip4/10.0.0.1/tcp/1"}}
}

func sampleView() View {
	return View{
		Now: 1_700_000_050_000, Height: 12, Escrow: InBlock, Output: Ref{Tx: hashOf("claim"), Index: 1}, Depth: 4,
		Claim: []Claimed{{Output: hashOf("output"), Invalid: true, Final: 1_700_003_600_000}}, Exit: ExitFinal, Left: InBlock,
		LeftTx: hashOf("final"), LeftDepth: 2,
	}
}
