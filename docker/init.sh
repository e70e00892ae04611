#!/bin/sh
# Makes what the network of compose.yaml begins with, once: a home folder with a key for each node, the
# definition of the network, and the tokens of APIs and of the queue. Nothing that exists is changed.
#
# HOMES has a folder for each node, NETWORK what all of them read. MINER is where the others find
# the miner: a multiaddress without port. OWNER, if it is set, gets all files.
#
# The keys are not encrypted, and the tokens can be read by every container: this is a network to try
# things out on. Its coins are worth nothing.
set -eu

homes=${HOMES:-/homes}
network=${NETWORK:-/network}
miner=${MINER:-/dns4/miner}
nodes="miner operator-1 operator-2 operator-3 client"

# token FILE makes a token that cannot be guessed.
token() {
	[ -s "$1" ] || od -An -tx1 -N24 /dev/urandom | tr -d ' \n' >"$1"
}

for node in $nodes; do
	mkdir -p "$homes/$node"
	if ! wes wallet address "$node" --home "$homes/$node" >/dev/null 2>&1; then
		wes wallet new "$node" --unencrypted --home "$homes/$node"
	fi
done

mkdir -p "$network"
token "$network/api.token"
token "$network/queue.token"

# The miner needs no peers; the others begin with it.
peer=$(wes node id --home "$homes/miner")
for node in $nodes; do
	[ $node = miner ] || [ -e "$homes/$node/config.toml" ] ||
		echo "peers = [\"$miner/udp/4871/quic-v1/p2p/$peer\", \"$miner/tcp/4871/p2p/$peer\"]" >"$homes/$node/config.toml"
done

if [ ! -e "$network/network.toml" ]; then
	# Operators need coins for the bonds of their jobs, the client for prices; the number of outputs is
	# how many jobs each can begin at the same time.
	set --
	for node in $nodes; do
		set -- "$@" --fund "$(wes wallet address "$node" --home "$homes/$node")=1000x32"
	done
	wes node network new compose --home "$homes/miner" --miner miner --heartbeat 30s \
		"$@" --out "$network/network.toml"
fi

chmod 755 "$network"
chmod 644 "$network"/*
if [ -n "${OWNER:-}" ]; then
	chown -R "$OWNER" "$homes" "$network"
fi
