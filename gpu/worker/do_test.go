package worker

import (
	"fmt"
	"io"
	"testing"
)

func impostor(how, socket string) {}
func parent(how string)           {}

// BenchmarkDo measures what a job costs beside its work: nothing, and 24 MB each way.
func BenchmarkDo(b *testing.B) {
	for _, size := range []int{0, 1 << 10, 24 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c, err := Start(b.Context(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			x, y := make([]byte, size), make([]byte, size)
			receive := func(r io.Reader, _ uint64) error { _, err := io.ReadFull(r, y); return err }
			b.SetBytes(2 * int64(size))
			for b.Loop() {
				if err := c.Do(b.Context(), Job{Method: "echo", Body: [][]byte{x}, Receive: receive}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
