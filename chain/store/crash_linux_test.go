package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// disk lists the system calls that change files or make them durable. What a process writes to
// mapped files makes none; TestEveryPrefixOfALogIsAWholeBlock cuts those.
var disk = []uint64{
	unix.SYS_WRITE, unix.SYS_PWRITE64, unix.SYS_WRITEV, unix.SYS_MSYNC, unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_FTRUNCATE,
	unix.SYS_RENAMEAT, unix.SYS_UNLINKAT, unix.SYS_MKDIRAT, unix.SYS_MUNMAP,
}

// syscallInfo is the head of struct ptrace_syscall_info, see ptrace(2).
type syscallInfo struct {
	op   uint8 // 1 at the entry of a call
	_    [3]uint8
	_    uint32
	_, _ uint64
	nr   uint64
	args [6]uint64
	_    [2]uint64
}

const ptraceGetSyscallInfo = 0x420e

// kill runs a child until it has printed made, then up to its n-th system call of the disk,
// which does not happen: it is killed there. It returns what the child printed, and false if the
// child came to its end first.
func kill(t *testing.T, dir string, n int) (printed string, killed bool) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envChild+"="+dir, "TMPDIR="+t.TempDir(), "GODEBUG=asyncpreemptoff=1")
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		t.Skipf("can't trace a child here: %v", err)
	}
	made := false
	killed = trace(t, cmd.Process.Pid, func(nr uint64) bool {
		if slices.Contains(disk, nr) {
			if made {
				n--
			}
			made = made || started(out.Name())
		}
		return n == 0
	})
	cmd.Wait() // its status was taken by trace
	raw, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), killed
}

func started(name string) bool {
	raw, _ := os.ReadFile(name)
	return bytes.Contains(raw, []byte("made\n"))
}

// trace lets a process run until stop says so at the entry of a system call, and kills it then;
// false if it ended by itself.
func trace(t *testing.T, pid int, stop func(nr uint64) bool) bool {
	t.Helper()
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		t.Fatal(err)
	}
	const options = syscall.PTRACE_O_TRACESYSGOOD | syscall.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(pid, options); err != nil {
		t.Fatal(err)
	}
	killed := false
	for thread := pid; ; {
		signal := 0
		switch s := status.StopSignal(); {
		case s == syscall.SIGTRAP|0x80:
			if nr, entry := entered(thread); entry && !killed && stop(nr) {
				killed = true
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
		case s != syscall.SIGTRAP && s != syscall.SIGSTOP:
			signal = int(s)
		}
		if status.Stopped() {
			if err := syscall.PtraceSyscall(thread, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Fatal(err)
			}
		}
		var err error
		if thread, err = syscall.Wait4(-1, &status, syscall.WALL|unix.WNOTHREAD, nil); err != nil {
			t.Fatal(err)
		}
		if thread == pid && (status.Exited() || status.Signaled()) {
			if !killed && status.ExitStatus() != 0 {
				t.Fatalf("the child has failed: %v", status)
			}
			return killed
		}
	}
}

// entered returns the number of the system call that a thread is about to make.
func entered(thread int) (nr uint64, entry bool) {
	var info syscallInfo
	_, _, e := syscall.Syscall6(syscall.SYS_PTRACE, ptraceGetSyscallInfo, uintptr(thread), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	return info.nr, e == 0 && info.op == 1
}

// TestStoreSurvivesKillAtEveryWrite kills a process at each of its writes and syncs, and opens
// what it leaves: the store stands whole after the last step that had returned, or the one that
// was cut off, and can go on. Every third write by default, all of them with WES_TEST_LARGE.
func TestStoreSurvivesKillAtEveryWrite(t *testing.T) {
	c := newScenario(t)
	const lanes = 2
	stride := 6
	if os.Getenv(largeVariable) != "" {
		stride = lanes
	}
	for lane := range lanes {
		t.Run(fmt.Sprint("lane ", lane), func(t *testing.T) {
			t.Parallel()
			n := 1 + lane*stride/lanes
			for ; c.killed(t, n); n += stride {
			}
			t.Logf("every %dth of %d writes", stride, n)
			if n < 100 {
				t.Fatal("the child writes more often")
			}
		})
	}
}

// killed kills a child at its n-th write and looks at what it leaves; false if it makes fewer.
func (c *scenario) killed(t *testing.T, n int) bool {
	t.Helper()
	dir := t.TempDir()
	printed, killed := kill(t, dir, n)
	if killed {
		c.survives(t, dir, strings.Count(printed, "\n")-2)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	return killed
}

// survives opens the store that a child left after some steps.
func (c *scenario) survives(t *testing.T, dir string, steps int) {
	t.Helper()
	s, err := Open(dir, c.o)
	if err != nil {
		t.Fatalf("after %d steps: %v", steps, err)
	}
	defer s.Close()
	allowed := []string{"genesis"}
	for _, i := range []int{steps - 1, steps} {
		if i >= 0 && i < len(c.steps) {
			allowed = append(allowed, c.steps[i].then)
		}
	}
	if steps > 0 {
		allowed = allowed[1:]
	}
	tip := s.Ledger().Tip
	for _, name := range allowed {
		if c.nodes[name].hash() == tip {
			c.compare(t, s, name)
			c.carry(t, s, name)
			return
		}
	}
	t.Fatalf("after %d steps the store stands at %v, which is none of %v", steps, tip, allowed)
}
