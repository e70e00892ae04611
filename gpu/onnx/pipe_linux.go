package onnx

import (
	"os"
	"syscall"
)

// widen makes a pipe hold 1 MiB instead of 64 KiB, so that reader and writer change places
// less often. It is a hint: a system that refuses keeps its pipes as they are.
func widen(pipe any) {
	const setPipeSize = 1031 // F_SETPIPE_SZ of fcntl(2)
	file, ok := pipe.(*os.File)
	if !ok {
		return
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, 1<<20)
	})
}
