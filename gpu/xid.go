package gpu

// fatalXIDs are the driver's errors after which results of a device cannot be trusted or
// its work does not go on, until it is reset or the machine restarted. Others are caused by
// the program at work, and end with it: 13 and 31 (bad instruction or address), 43 and 45
// (channel stopped, cleaned up after another error). Numbers and meanings are NVIDIA's
// catalogue, https://docs.nvidia.com/deploy/xid-errors/.
var fatalXIDs = map[uint64]string{
	48:  "uncorrectable memory error",
	61:  "microcontroller breakpoint or warning",
	62:  "microcontroller halted",
	63:  "memory row or page to be retired at the next reset",
	64:  "memory row or page could not be retired",
	74:  "NVLink error",
	79:  "fallen off the bus",
	94:  "contained memory error",
	95:  "uncontained memory error",
	119: "system processor does not answer",
	120: "system processor error",
}
