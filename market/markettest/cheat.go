package markettest

// Cheat is something that a party does against the others. It is done by the shell around the
// machine, which itself is honest.
type Cheat string

// What operators do.
const (
	WrongOutput    Cheat = "wrong-output"   // executes wrongly; its proofs do not verify
	StolenProof    Cheat = "stolen-proof"   // shows a proof that pays another
	ReplayedProof  Cheat = "replayed-proof" // shows a proof of another job
	Slow           Cheat = "slow"           // is done only after the due time
	Silent         Cheat = "silent"         // says and does nothing once it has the job
	NoSignature    Cheat = "no-signature"   // never answers an award
	Withdraws      Cheat = "withdraws"      // refuses the award
	Unsigned       Cheat = "unsigned"       // does not sign its results
	FalseWitness   Cheat = "false-witness"  // says of every witness that it is invalid
	NeverSettles   Cheat = "never-settles"  // delivers, but gives nothing to the ledger
	CopiesOutput   Cheat = "copies-output"  // signs one hash and shows another output
	ClaimsAnother  Cheat = "claims-another" // delivers the output, and says another on the ledger
	LosesItsDevice Cheat = "loses-device"   // every run ends with a lost device

	ClosesEarly Cheat = "closes-early" // closes channels once a job is paid
)

// paysLate is how late a client pays that pays late, in ms.
const paysLate = 300_000

// What clients do.
const (
	NeverPays Cheat = "never-pays" // sends no vouchers
	PaysLate  Cheat = "pays-late"
	PaysLess  Cheat = "pays-less" // sends vouchers of less

	NeverAccepts Cheat = "never-accepts"
	NeverFunds   Cheat = "never-funds"
	FundsAlone   Cheat = "funds-alone" // makes the same escrow by itself, bond and all
	FundsLess    Cheat = "funds-less"  // makes an escrow of the same job and a price of 1
	LiesOfPrice  Cheat = "lies-price"  // offers an escrow of another price
	LiesOfTime   Cheat = "lies-time"   // offers an escrow that is due sooner
	LiesOfBid    Cheat = "lies-bid"    // awards a bid that was never made
	NeverAsks    Cheat = "never-asks"  // awards without a question, as if the price was posted
	OtherPayload Cheat = "bad-payload" // sends another payload than the terms name
)
