// Package p2p connects a node with its peers over libp2p: QUIC and TCP, gossip, requests,
// discovery. It carries opaque bytes and knows nothing of the ledger. The name of the network is
// in every protocol id, in the topics, in the prefix of the DHT and in the mDNS service, so
// networks never mix, and nothing is dialled that the configuration does not name or that was
// not found under that name.
//
// # The caller's duties
//
//  1. Open a [Host], then register all topics with Join and all requests with Handle, then
//     Start it with a [Membership]. Close ends everything and waits for it.
//  2. A peer exists for the caller between Joined and Left. Joined returns before a request or a
//     gossiped message of that peer is handed over; Left is called after the last Joined of it
//     has returned. Both are called for different peers at the same time, and may block.
//  3. Validators, request handlers and the methods of Membership run on goroutines of the host.
//     They must end when their context does, and must not call Close.
//  4. Penalise, Drop or Ban a peer for what the bytes say. What breaks this package's own
//     protocol is punished here.
//
// # What a peer can cost
//
// Every length is compared with its limit before a byte of it is allocated, and buffers grow with
// what has arrived. Connections, streams and memory are bounded for a peer, for an address and in
// total; requests and gossip are limited in rate and concurrency for a peer. A transfer has to
// keep up a minimum throughput. A peer that has not said within [GreetWithin] that it is of this
// network is disconnected, and has until then no say in anything. Offences add up to points,
// which decay; at [BanPoints] a peer is banned. Identities are free, so offenders of one address
// are banned by address.
package p2p
