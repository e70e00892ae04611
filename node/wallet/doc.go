// Package wallet builds and signs the transactions of one key: payments, tokens, sponsor pools,
// resources, and the escrows, claims and bonds of the market. It asks a [Ledger] for what the key
// can spend, chooses among it, pays a fee by the transaction's weight, and returns what is left as
// change. It submits nothing.
//
// # Choice of coins
//
// Token by token, the largest amounts come first. That takes the fewest inputs, so the least fee
// now, and keeps what is chosen repeatable; [Wallet.Consolidate] joins the small ones when fees
// are low. Confirmed coins come before change that waits for a block. Coins that cost more to
// spend than they hold are left alone, and change of that size becomes a part of the fee.
// Resources, states and outputs under other locks than the key's are spent only by the methods
// that name them.
//
// # Reservations
//
// What a transaction spends is reserved in a [Reservations] until the transaction is in a block, a
// conflicting one is, or the end of its window has passed, which every transaction here has. So
// after a reservation ended the transaction cannot take effect any more. [Wallet.Cancel] gives
// back the inputs of one that was never submitted.
//
// # Transactions of several signers
//
// Where signatures of others are missing, methods return a [*PartialError] that holds the
// transaction so far. Each signer calls [Wallet.Sign] on it, or on a copy; [Partial.Merge] joins
// copies, [Wallet.Finish] makes the transaction. Whoever signs what others drafted looks at
// [Wallet.Review] before.
package wallet
