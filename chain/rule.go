package chain

import (
	"fmt"
	"maps"
	"slices"
)

// Code names a rule. Codes are stable: they are part of the API. Of one block the lowest
// (transaction, input, code) found broken is reported, on every node and for any number of
// workers. Rules that need others to hold first are judged only if those do.
type Code int

// Rules of a block. Tx and Input of their errors are -1.
const (
	CodeParent Code = 101 + iota
	CodeTxRoot
	CodeWitnessRoot
	CodeUTXOHash
	CodeBlockSize
	CodeNoCoinbase
)

// Rules of a transaction as a whole. Input of their errors is -1.
const (
	CodeCoinbaseForm Code = 201 + iota
	CodeNoInputs
	CodeChain
	CodeWindow
	CodeLimit
	CodeWitnessCount
	CodeValue
	CodeLock
	CodeResource
	CodeState
	CodeKeyAttached
	CodeKeyUnknown
	CodePredecessor
	CodeOverflow
	CodeBalance
	CodeBlockAttachments
	CodeBlockCost
	CodeAttachment
	CodeKeyCost
	CodeCoinbaseAmount
)

// Rules of an input, or of a reference: references are numbered on after the inputs.
const (
	CodeMissing Code = 301 + iota
	CodeImmature
	CodeDoubleSpend
	CodeWitness
	CodeUnsatisfied
	CodeLockTime
	CodeDelegate
	CodeExit
	CodeExitTime
	CodeStatement
	CodeMint
	CodeSponsor
	CodeFeeDrawn
	CodeSegmentRange
	CodeSegmentOverlap
	CodeSegmentOutput
	CodeSignature
	CodeProof
)

// Scope says for how long, and for what, a rule stays broken. It tells a mempool what to
// remember a refusal by.
type Scope uint8

const (
	// ScopeBlock is of a block and of what else is in it.
	ScopeBlock Scope = iota
	// ScopeBody is of a transaction id, forever.
	ScopeBody
	// ScopeWitness is of a transaction id with a witness hash: another witness may hold.
	ScopeWitness
	// ScopeLedger is of a moment: it may hold on another block.
	ScopeLedger
)

type rule struct {
	scope Scope
	text  string
}

// rules says of every code what must hold.
var rules = map[Code]rule{
	CodeParent:      {ScopeBlock, "the header names the chain, the parent and the height after it"},
	CodeTxRoot:      {ScopeBlock, "the header holds the Merkle root of the transaction ids"},
	CodeWitnessRoot: {ScopeBlock, "the header holds the Merkle root of the witness hashes"},
	CodeUTXOHash:    {ScopeBlock, "the header holds the hash of the unspent outputs after the parent"},
	CodeBlockSize:   {ScopeBlock, "bodies and witnesses take at most 2 MiB"},
	CodeNoCoinbase:  {ScopeBlock, "the first transaction is a coinbase"},

	CodeCoinbaseForm:     {ScopeBody, "a coinbase holds the height and assets, and nothing else"},
	CodeNoInputs:         {ScopeBody, "only the coinbase has no inputs"},
	CodeChain:            {ScopeBody, "a transaction names the chain"},
	CodeWindow:           {ScopeLedger, "now lies in the transaction's window"},
	CodeLimit:            {ScopeWitness, "a transaction keeps its limits of counts and sizes"},
	CodeWitnessCount:     {ScopeWitness, "every input has one witness"},
	CodeValue:            {ScopeBody, "values list at most 8 tokens, in order, with amounts above zero"},
	CodeLock:             {ScopeBody, "locks keep their limits; only assets have delegates and proofs in theirs"},
	CodeResource:         {ScopeBody, "resources keep their limits; models and circuits have a verifying key"},
	CodeState:            {ScopeWitness, "a new state is well-formed and may be created freely, by its type"},
	CodeKeyAttached:      {ScopeBody, "who publishes a verifying key attaches it"},
	CodeKeyUnknown:       {ScopeBody, "a verifying key that a new output names is named by an input, a reference or a new resource"},
	CodePredecessor:      {ScopeBody, "a resource's predecessor is spent by the same transaction, and has one successor"},
	CodeOverflow:         {ScopeWitness, "sums of amounts stay within 64 bits"},
	CodeBalance:          {ScopeWitness, "of every token, inputs and what is minted equal outputs and fee"},
	CodeBlockAttachments: {ScopeBlock, "the attachments of a block take at most 8 MiB"},
	CodeBlockCost:        {ScopeBlock, "the transactions up to this one cost at most 3,000,000 units"},
	CodeAttachment:       {ScopeBody, "an attachment has the length that the transaction says"},
	CodeKeyCost:          {ScopeBody, "a published verifying key is well-formed and costs what the resource says"},
	CodeCoinbaseAmount:   {ScopeBlock, "the coinbase pays exactly the fees, of at most 16 tokens"},

	CodeMissing:        {ScopeLedger, "an input or reference is unspent at the block's start or created by a lower transaction"},
	CodeImmature:       {ScopeLedger, "a coinbase is spent 100 blocks later or after"},
	CodeDoubleSpend:    {ScopeLedger, "an output is spent once"},
	CodeWitness:        {ScopeWitness, "a witness has exactly the items that its lock and exit ask for"},
	CodeUnsatisfied:    {ScopeWitness, "preimages and revealed locks match; a lock without a way to spend it stays unspent"},
	CodeLockTime:       {ScopeLedger, "locks of time are open"},
	CodeDelegate:       {ScopeWitness, "a delegate keeps to expiry, operations and amount, once an input"},
	CodeExit:           {ScopeWitness, "the exit exists and its parameters are in range"},
	CodeExitTime:       {ScopeLedger, "the exit is open now"},
	CodeStatement:      {ScopeWitness, "input, output and proof are attached and match the statement"},
	CodeMint:           {ScopeWitness, "a token is minted up to its maximum"},
	CodeSponsor:        {ScopeWitness, "a sponsor pool pays its users only, exactly its rate, and keeps its caps"},
	CodeFeeDrawn:       {ScopeWitness, "what covenants give for fees is paid as fee, and counted once"},
	CodeSegmentRange:   {ScopeWitness, "the segment of a covenant lies within the outputs"},
	CodeSegmentOverlap: {ScopeWitness, "segments do not overlap"},
	CodeSegmentOutput:  {ScopeWitness, "a segment holds exactly the outputs that the exit demands"},
	CodeSignature:      {ScopeWitness, "signatures verify"},
	CodeProof:          {ScopeWitness, "proofs verify"},
}

// Codes lists all codes, in ascending order.
func Codes() []Code { return slices.Sorted(maps.Keys(rules)) }

// Rule returns the sentence that a code stands for, or the empty string.
func (c Code) Rule() string { return rules[c].text }

// Scope says what stays broken with the rule.
func (c Code) Scope() Scope { return rules[c].scope }

// RuleError is a broken rule: the block or transaction is invalid, on every node and forever
// (but for rules of time, of a transaction outside a block).
type RuleError struct {
	Code   Code
	Tx     int // index in the block; -1 for the block itself; 0 for a single transaction
	Input  int // index among inputs, then references; -1 for the transaction itself
	Detail string
}

func (e *RuleError) Error() string {
	return fmt.Sprintf("rule %d at transaction %d, input %d: %s: broken: %s", e.Code, e.Tx, e.Input, e.Code.Rule(), e.Detail)
}

// broken returns an error of the block; at moves it.
func broken(c Code, format string, args ...any) *RuleError {
	return &RuleError{Code: c, Tx: -1, Input: -1, Detail: fmt.Sprintf(format, args...)}
}

// at returns e moved to an input of a transaction; nil stays nil.
func (e *RuleError) at(tx, input int) *RuleError {
	if e != nil {
		e.Tx, e.Input = tx, input
	}
	return e
}

// lower returns the error that is reported of two, either of which may be nil.
func lower(a, b *RuleError) *RuleError {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.Tx != b.Tx:
		return pick(a.Tx < b.Tx, a, b)
	case a.Input != b.Input:
		return pick(a.Input < b.Input, a, b)
	}
	return pick(a.Code <= b.Code, a, b)
}

func pick(first bool, a, b *RuleError) *RuleError {
	if first {
		return a
	}
	return b
}

// UnavailableError lists attachments that are needed and not at hand. It says nothing about
// validity.
type UnavailableError struct{ Missing []Hash }

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%d attachments are not available, the first is %v", len(e.Missing), e.Missing[0])
}
