package market

import "slices"

// Assignment says whether somebody has the job.
type Assignment string

// The assignments, in order.
const (
	Announced Assignment = "announced"
	Assigned  Assignment = "assigned"
	Closed    Assignment = "closed"
)

// Execution says how far the work is.
type Execution string

// The executions, in order.
const (
	Idle    Execution = "idle" // nobody works on it
	Queued  Execution = "queued"
	Running Execution = "running"
	Proving Execution = "proving"
	Done    Execution = "done"
	Failed  Execution = "failed"
)

// Settlement says where the money is.
type Settlement string

// The settlements.
const (
	Unfunded  Settlement = "unfunded" // nothing is bound
	Escrowed  Settlement = "escrowed"
	InChannel Settlement = "channel"
	Paid      Settlement = "paid"
	Refunded  Settlement = "refunded"
	Slashed   Settlement = "slashed"
)

// Code says why a job is where it is. Codes are stable: programs compare them.
type Code string

// The codes. Codes lists them with their meaning.
const (
	CodeOK Code = ""

	CodeInfeasible     Code = "infeasible"
	CodeBusy           Code = "busy"
	CodeCapped         Code = "capped"
	CodeDraining       Code = "draining"
	CodeUnknownProgram Code = "unknown_program"
	CodePrice          Code = "price"
	CodeTerms          Code = "terms"
	CodeExpired        Code = "expired"
	CodeUnreachable    Code = "unreachable"
	CodeNoBid          Code = "no_bid"
	CodeNoFunds        Code = "no_funds"
	CodeBadInput       Code = "bad_input"
	CodeEscrow         Code = "escrow"
	CodeNotFunded      Code = "not_funded"
	CodePayment        Code = "payment_required"

	CodeCanceled  Code = "canceled"
	CodeDeadline  Code = "deadline"
	CodeDevice    Code = "device_lost"
	CodeMemory    Code = "out_of_memory"
	CodeHung      Code = "hung"
	CodeWitness   Code = "unsatisfied_witness"
	CodeExecution Code = "execution_failed"

	CodeBadProof   Code = "bad_proof"
	CodeBadResult  Code = "bad_result"
	CodeDisagree   Code = "replicas_disagree"
	CodeAccepted   Code = "accepted"
	CodeProved     Code = "proved"
	CodeLate       Code = "late"
	CodeReleased   Code = "released"
	CodeMissed     Code = "missed"
	CodeClaimed    Code = "claimed"
	CodeClaimStood Code = "claim_stood"
	CodeRefuted    Code = "refuted"
	CodeVoucher    Code = "voucher"
	CodeUnpaid     Code = "unpaid"
)

// Axis is what a code explains.
type Axis string

// The axes.
const (
	AxisAssignment Axis = "assignment"
	AxisExecution  Axis = "execution"
	AxisSettlement Axis = "settlement"
)

// CodeInfo is the documentation of a code.
type CodeInfo struct {
	Code    Code
	Axis    Axis
	Meaning string
	Next    string // what whoever reads it can do
}

// Codes lists all codes; docs/market-codes.md is made from it.
func Codes() []CodeInfo {
	return slices.Clone([]CodeInfo{
		{CodeInfeasible, AxisAssignment, "no device of the operator has the memory, or even an idle one could not meet the deadline", "give more time, or wait for larger operators"},
		{CodeBusy, AxisAssignment, "the operator could do the job, but not beside what it has taken on and bid for", "wait, or raise the price"},
		{CodeCapped, AxisAssignment, "a bound that the operator has set on queued work, on bids or on a client is reached", "wait"},
		{CodeDraining, AxisAssignment, "the operator takes no new work", "ask others"},
		{CodeUnknownProgram, AxisAssignment, "the operator does not offer the model or circuit, or is still fetching it", "ask again in a while"},
		{CodePrice, AxisAssignment, "the price asked for is above what the client would pay", "raise the highest price"},
		{CodeTerms, AxisAssignment, "the terms do not fit what the ledger says of the program, or are outside the operator's limits", "look at the operator's text"},
		{CodeExpired, AxisAssignment, "a bid or an offer was used after it had ended", "ask again"},
		{CodeUnreachable, AxisAssignment, "the other side could not be reached or did not answer in time", "nothing: others were asked"},
		{CodeNoBid, AxisAssignment, "nobody made a bid in any round", "wes job explain says why"},
		{CodeNoFunds, AxisAssignment, "the client's wallet cannot pay the price, royalty and fee reserve", "fund the wallet"},
		{CodeBadInput, AxisAssignment, "the input does not have the shapes, types or range that the program wants", "correct the input"},
		{CodeEscrow, AxisAssignment, "the escrow offered is not the one that was agreed on, or could not be built", "look at the text"},
		{CodeNotFunded, AxisAssignment, "the funding transaction did not enter the ledger while it could", "submit the job again"},
		{CodePayment, AxisAssignment, "too many jobs of the channel are not paid yet, or its cap is reached", "pay, or open another channel"},

		{CodeCanceled, AxisExecution, "the client gave the job up before it was assigned", "nothing"},
		{CodeDeadline, AxisExecution, "the work could not be done in time", "nothing: the operator released the job or will be charged"},
		{CodeDevice, AxisExecution, "the device was lost, and other attempts failed", "nothing: the operator releases the job"},
		{CodeMemory, AxisExecution, "the work needs more memory than there is", "ask operators with more memory"},
		{CodeHung, AxisExecution, "the work made no progress", "nothing: the operator releases the job"},
		{CodeWitness, AxisExecution, "the witness does not satisfy the circuit", "correct the witness"},
		{CodeExecution, AxisExecution, "the work failed for a reason that the operator's log has", "submit the job again"},

		{CodeBadProof, AxisSettlement, "the operator delivered a proof that does not verify; it is not paid for it", "nothing: money comes back after the late time"},
		{CodeBadResult, AxisSettlement, "the operator delivered a result that it has not signed, or of another job", "nothing: money comes back after the late time"},
		{CodeDisagree, AxisSettlement, "the replicas of the job have different outputs", "nothing: only those of the majority are accepted"},
		{CodeAccepted, AxisSettlement, "the client has accepted the result and paid the operator", "nothing"},
		{CodeProved, AxisSettlement, "the operator has shown the proof on the ledger and was paid", "nothing"},
		{CodeLate, AxisSettlement, "the proof came after the due time: half of the price was paid", "nothing"},
		{CodeReleased, AxisSettlement, "the operator gave the job up: all money came back, with a share of the bond", "submit the job again"},
		{CodeMissed, AxisSettlement, "nothing came in time: all money came back, with half of the bond", "submit the job again"},
		{CodeClaimed, AxisSettlement, "the operator has said the output on the ledger; anybody may refute it until it is final", "nothing"},
		{CodeClaimStood, AxisSettlement, "nobody refuted the operator's claim in time", "nothing"},
		{CodeRefuted, AxisSettlement, "a proof showed that the operator's claim was wrong; its bond is slashed", "nothing"},
		{CodeVoucher, AxisSettlement, "the operator holds a voucher of the channel for the job", "nothing"},
		{CodeUnpaid, AxisSettlement, "the channel ended before a voucher paid for the job, or the client never took the result", "nothing"},
	})
}
