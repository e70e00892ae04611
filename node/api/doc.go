// Package api is how programs talk to a node: JSON-RPC 2.0 over HTTP and, with subscriptions, over
// a WebSocket; metrics and health for those who watch it; and the client for Go programs.
//
//	POST /rpc            requests and batches
//	GET  /ws             the same, and notifications
//	GET  /openrpc.json   the description of all methods
//	POST /resources      the body becomes a file: ?name=NAME; {"cid": …, "size": …}
//	GET  /resources/CID  a file, here or from peers: ?max=BYTES
//	GET  /metrics        Prometheus
//	GET  /healthz        200 while the process answers
//	GET  /readyz         200 while the node is of use; else 503 and why not
//
// Amounts are decimal strings of base units, since 64 bits do not fit a JSON number; hashes are
// hexadecimal, addresses bech32m. No private key crosses this interface: signing is the client's.
//
// # Access
//
// A server on loopback needs no token, but refuses requests that a foreign web page could make a
// browser send: those with an Origin or a Host that is not its own. Any other address needs a
// token, compared in constant time.
//
// # Bounds
//
// The size of a request, the requests of a batch, those served at once, connections, and what
// waits for a subscriber are bounded; whoever exceeds them gets 413 or 429, or is cut off. Files
// may have any size that there is room for, but what stalls is ended, and leaves nothing.
package api
